"""The workflow through a real SLURM cluster, and what can go wrong there. Minutes: `make test-cluster` runs these."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.cluster.slurm import Cluster, missing
from tests.workflow.conftest import CONFIG, Checkout

METHODS = list(CONFIG["methods"])
#: As the profile, but for a cluster that answers at once.
ARGUMENTS = (
    "results/metrics.parquet",
    *("--profile", "workflow/profiles/slurm"),
    *("--cores", "2", "--latency-wait", "10", "--slurm-init-seconds-before-status-checks", "2"),
)

pytestmark = pytest.mark.skipif(
    "OCNN_CLUSTER" not in os.environ, reason="a real cluster is started by `make test-cluster` only"
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    reason = missing()
    if reason:
        pytest.skip(f"no SLURM cluster can be started: {reason}")
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The score files of a run without a cluster."""
    checkout = Checkout(tmp_path_factory.mktemp("local"))
    checkout.succeed("results/metrics.parquet")
    return checkout.scores()


def wait(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.5)


class Submitted:
    """Jobs since a moment, by the name that Snakemake gave them as a comment."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.before = {job["JobId"] for job in cluster.jobs()}

    def suites(self) -> list[dict[str, str]]:
        """The jobs that hold a split's fits, in order."""
        jobs = [job for job in self.cluster.jobs() if job["JobId"] not in self.before]
        return sorted((job for job in jobs if "suite" in job.get("Comment", "")), key=lambda job: int(job["JobId"]))

    def running(self) -> bool:
        """Whether a suite runs now."""
        return any(job["JobState"] == "RUNNING" for job in self.suites())


def start(checkout: Checkout, *arguments: str) -> subprocess.Popen[str]:
    """Snakemake in the background."""
    command = checkout.command(*ARGUMENTS, *arguments)
    return subprocess.Popen(**command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_a_split_and_all_that_is_fitted_to_it_are_one_submission(
    cluster: Cluster, checkout: Checkout, local: dict[str, bytes]
) -> None:
    submitted = Submitted(cluster)
    checkout.succeed(*ARGUMENTS, "--config", "seeds=2")
    first = {name: content for name, content in checkout.scores().items() if name.endswith("seed-0.parquet")}
    assert first == local
    assert len(checkout.scores()) == 2 * len(METHODS)
    suites = submitted.suites()
    assert [job["JobState"] for job in suites] == ["COMPLETED"] * 2
    # The images, which every split needs, are the third submission; measuring is local.
    assert len(cluster.jobs()) - len(submitted.before) == 3


def test_a_cancelled_job_is_tried_again(cluster: Cluster, checkout: Checkout, local: dict[str, bytes]) -> None:
    submitted = Submitted(cluster)
    run = start(checkout)
    wait(submitted.running)
    time.sleep(10)
    subprocess.run(["scancel", submitted.suites()[0]["JobId"]], check=True)
    output, _ = run.communicate(timeout=300)
    assert run.returncode == 0, output
    assert [job["JobState"] for job in submitted.suites()] == ["CANCELLED", "COMPLETED"]
    assert checkout.scores() == local


def test_a_job_over_its_memory_is_tried_again_with_more(
    cluster: Cluster, checkout: Checkout, local: dict[str, bytes]
) -> None:
    submitted = Submitted(cluster)
    rules = ("split", "autoencoder", "fit")
    checkout.succeed(*ARGUMENTS, "--set-resources", *(f"{rule}:mem_mb=150*attempt**4" for rule in rules))
    first, second = submitted.suites()
    assert (first["JobState"], second["JobState"]) == ("FAILED", "COMPLETED")
    assert "exceeded memory limit" in (cluster.folder / "log" / "slurmd.log").read_text()
    assert int(first["MinMemoryNode"].removesuffix("M")) < int(second["MinMemoryNode"].removesuffix("M"))
    assert checkout.scores() == local


def test_a_run_that_was_killed_is_resumed_as_the_readme_says(
    cluster: Cluster, checkout: Checkout, local: dict[str, bytes]
) -> None:
    submitted = Submitted(cluster)
    prefix = ("--slurm-jobname-prefix", "ocnn")
    run = start(checkout, *prefix)
    wait(submitted.running)
    time.sleep(10)
    run.send_signal(signal.SIGKILL)
    run.wait()
    # The job lives on, and a new run does not start beside it.
    assert submitted.running()
    refused = checkout.run(*ARGUMENTS)
    assert refused.returncode != 0
    assert "lock" in (refused.stdout + refused.stderr).lower()
    names = {job["JobName"] for job in submitted.suites()}
    assert all(name.startswith("ocnn") for name in names)
    # As the README says: cancel what bears the prefix, unlock, run again.
    subprocess.run(
        ["bash", "-c", "squeue -h -o '%i %j' | awk '$2 ~ /^ocnn/ {print $1}' | xargs -r scancel"], check=True
    )
    wait(lambda: not submitted.running())
    checkout.succeed("--unlock")
    checkout.succeed(*ARGUMENTS, *prefix)
    assert checkout.scores() == local
    assert not list((checkout.folder / "results" / "scores").rglob(".*"))


def test_two_writers_of_one_file_leave_a_whole_one(
    cluster: Cluster, checkout: Checkout, local: dict[str, bytes]
) -> None:
    """The unsafe way: the orphan of a killed run is left alone while a new run makes the same files."""
    submitted = Submitted(cluster)
    # On one CPU each, so that they run side by side.
    run = start(checkout, "--cores", "1")
    wait(submitted.running)
    time.sleep(10)
    run.send_signal(signal.SIGKILL)
    run.wait()
    checkout.succeed("--unlock")
    resumed = start(checkout, "--cores", "1")
    wait(lambda: sum(job["JobState"] == "RUNNING" for job in submitted.suites()) == 2)
    output, _ = resumed.communicate(timeout=300)
    wait(lambda: not submitted.running())
    states = [job["JobState"] for job in submitted.suites()]
    assert resumed.returncode == 0, (states, output)
    assert checkout.scores() == local, states
