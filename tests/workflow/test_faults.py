"""What goes wrong in a long run, done on purpose: nothing finished is lost, and no number is wrong."""

import os
import random
import signal
import subprocess
import time
from typing import Any

import psutil
import pytest

from tests.workflow.conftest import CONFIG, MEASURED, TRAINING, Checkout

#: A shallow method, and a deep one with its autoencoder.
QUICK: dict[str, Any] = {**CONFIG, "methods": {"kde": {}, "deep_svdd": TRAINING}}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose run ended without any fault; a test that changes it uses a copy."""
    checkout = Checkout(tmp_path_factory.mktemp("undisturbed"))
    checkout.configure(QUICK)
    checkout.succeed(MEASURED)
    return checkout


def jobs(checkout: Checkout, script: str = "") -> list[psutil.Process]:
    """The processes of a checkout's jobs, of one script or of all."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(checkout.folder) and f"workflow.scripts.{script}" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_and_resume(checkout: Checkout, kills: int, latest: float, *arguments: str) -> str:
    """Kills a run at random moments, resumes it each time as the README says, and lets it end.

    Every other time Snakemake alone is killed, so that its jobs live on beside those of the next run.

    Args:
        latest: seconds after the start within which it is killed.

    Returns:
        What was hit, in one sentence.
    """
    generator = random.Random(0)
    hit = {"nothing": 0, "a job": 0, "a fit": 0}
    for number in range(kills):
        run = subprocess.Popen(
            **checkout.command(MEASURED, *arguments),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(generator.uniform(1, latest))
        hit["a fit" if jobs(checkout, "fit") else "a job" if jobs(checkout) else "nothing"] += 1
        if number % 2:
            run.kill()
        else:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        checkout.succeed("--unlock", *arguments)
    output = checkout.succeed(MEASURED, *arguments)
    psutil.wait_procs(jobs(checkout))
    return f"{kills} kills hit " + ", ".join(f"{what}: {count}" for what, count in hit.items()) + f"\n{output}"


def test_a_run_killed_twice_ends_as_one_that_was_not(undisturbed: Checkout, checkout: Checkout) -> None:
    checkout.configure(QUICK)
    print(kill_and_resume(checkout, 2, 12).splitlines()[0])
    assert checkout.scores() == undisturbed.scores()
    assert "Nothing to be done" in checkout.succeed("-n", MEASURED)
