"""What goes wrong in a long run, done on purpose: nothing finished is lost, and no number is wrong."""

import io
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from ocnn.storage.files import temporary_prefix
from tests.workflow.conftest import CONFIG, MEASURED, TRAINING, Checkout, rules

pytestmark = pytest.mark.long

#: A shallow method, and a deep one with its autoencoder.
QUICK: dict[str, Any] = {**CONFIG, "methods": {"kde": {}, "deep_svdd": TRAINING}}
PATTERN = "results/scores/digits/3/{}/seed-{}.parquet"
#: Named, as by the workflow's own target: a lost score file is made again even where what depends on it is whole.
TARGETS = (MEASURED, *(PATTERN.format(method, 0) for method in QUICK["methods"]))

minutes = pytest.mark.skipif("OCNN_FAULTS" not in os.environ, reason="takes minutes: `make test-faults` runs it")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose run ended without any fault; a test that changes it uses a copy."""
    checkout = Checkout(tmp_path_factory.mktemp("undisturbed"))
    checkout.configure(QUICK)
    checkout.succeed(MEASURED)
    return checkout


@pytest.fixture
def copy(undisturbed: Checkout, tmp_path: Path) -> Checkout:
    return undisturbed.copy_to(tmp_path / "copy")


def score_file(checkout: Checkout, method: str) -> Path:
    return checkout.folder / PATTERN.format(method, 0)


def shell(checkout: Checkout, script: str, *arguments: str, within: tuple[str, ...] = ()) -> tuple[int, str]:
    """Exit status and output of a bash script in a checkout, in which "$@" is Snakemake with these arguments.

    Args:
        within: a command under which bash runs.
    """
    command = checkout.command(*arguments)
    command["args"] = [*within, "bash", "-c", script, "bash", *command["args"]]
    run = subprocess.run(**command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return run.returncode, run.stdout


@pytest.fixture
def own_mounts() -> tuple[str, ...]:
    """The command under which mounts are seen by nobody else and end with it."""
    command = ("unshare", "--mount")
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("mounting a file system takes root and unshare")
    return command


def truncated(content: bytes) -> bytes:
    return content[: random.Random(len(content)).randrange(len(content))]


def altered(content: bytes) -> bytes:
    """One bit in every hundred bytes of the third quarter is another one, as after a fault of a disk or of memory."""
    damaged = bytearray(content)
    for index in range(len(content) // 2, 3 * len(content) // 4, 100):
        damaged[index] ^= 1
    return bytes(damaged)


def of_another_schema(content: bytes) -> bytes:
    table = pq.read_table(io.BytesIO(content)).rename_columns({"anomaly_score": "score"})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def jobs(checkout: Checkout, script: str = "") -> list[psutil.Process]:
    """The processes of a checkout's jobs, of one step (`.fit:`) or of all."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(checkout.folder) and f"ocnn.steps{script}" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_and_resume(checkout: Checkout, kills: int, latest: float, targets: tuple[str, ...]) -> dict[str, int]:
    """Kills a run at random moments, resumes it each time as the README says, and lets it end.

    The first half of the kills come after the start of any job; the others within a second of seeing a fit, so that
    fits are hit however long the jobs before them take. Every other time Snakemake alone is killed, so that its jobs
    live on beside those of the next run.

    Args:
        latest: seconds after the start of its first job within which the first half kills it.

    Returns:
        How many kills hit a run with a fit under way, with another job, or with none (or no run, as it had ended).
    """
    generator = random.Random(0)
    hit = {"fit": 0, "other": 0, "none": 0}
    for number in range(kills):
        awaited, within = ("", latest) if number < kills // 2 else (".fit:", 1)
        run = subprocess.Popen(
            **checkout.command(*targets),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while run.poll() is None and not jobs(checkout, awaited):
            time.sleep(0.2)
        time.sleep(generator.uniform(0, within))
        if run.poll() is not None:  # all was done before
            hit["none"] += 1
            continue
        hit["fit" if jobs(checkout, ".fit:") else "other" if jobs(checkout) else "none"] += 1
        if number % 2:
            os.killpg(run.pid, signal.SIGKILL)
        else:
            run.kill()
        run.wait()
        checkout.succeed("--unlock", *targets)
    # A leftover for certain, whatever the kills hit.
    ended = subprocess.Popen(["true"])
    ended.wait()
    leftover = checkout.folder / "results" / "scores" / f"{temporary_prefix(ended.pid)}abcd1234"
    leftover.mkdir(parents=True)
    (leftover / "seed-0.parquet").write_text("half")
    checkout.succeed(*targets)
    psutil.wait_procs(jobs(checkout))
    print(f"{kills} kills, by what was under way: {hit}")
    return hit


def test_a_run_killed_twice_ends_as_one_that_was_not(undisturbed: Checkout, checkout: Checkout) -> None:
    checkout.configure(QUICK)
    kill_and_resume(checkout, 2, 8, TARGETS)
    assert checkout.scores() == undisturbed.scores()
    assert not list(checkout.folder.glob("results/**/.*"))
    assert "Nothing to be done" in checkout.succeed("-n", *TARGETS)


@minutes
def test_a_run_killed_twenty_times_ends_as_one_that_was_not(
    checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    checkout.configure({**CONFIG, "seeds": 5})
    killed = checkout.copy_to(tmp_path_factory.mktemp("killed") / "copy")
    began = time.monotonic()
    checkout.succeed(MEASURED)
    hit = kill_and_resume(killed, 20, (time.monotonic() - began) / 24, (MEASURED,))
    assert hit["fit"] >= 5
    assert killed.scores() == checkout.scores()
    assert len(killed.scores()) == 5 * len(CONFIG["methods"])
    assert not list(killed.folder.glob("results/**/.*"))
    assert "Nothing to be done" in killed.succeed("-n", MEASURED)


def test_a_second_run_in_the_same_folder_is_refused_and_does_not_disturb_the_first(
    undisturbed: Checkout, copy: Checkout
) -> None:
    score_file(copy, "deep_svdd").unlink()
    first = subprocess.Popen(**copy.command(*TARGETS), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while first.poll() is None and not list((copy.folder / ".snakemake" / "locks").glob("*")):
        time.sleep(0.1)
    second = copy.run(*TARGETS)
    assert second.returncode != 0
    assert "Directory cannot be locked. Please make sure that no other Snakemake process is" in second.stderr
    output, _ = first.communicate()
    assert first.returncode == 0, output
    assert copy.scores() == undisturbed.scores()


def set_times(checkout: Checkout, shift: Callable[[], float]) -> None:
    """Gives every result a time so many seconds from now."""
    for path in checkout.folder.glob("results/**/*.*"):
        moment = time.time() + shift()
        os.utime(path, (moment, moment))


def test_what_is_up_to_date_is_not_decided_by_clocks(copy: Checkout) -> None:
    """A clock that was a day ahead, in another time zone; and times in any order, as after a copy without them."""
    set_times(copy, lambda: 86400)
    assert "Nothing to be done" in copy.succeed("-n", *TARGETS, TZ="Pacific/Auckland")
    generator = random.Random(0)
    set_times(copy, lambda: generator.uniform(-86400, 86400))
    assert "Nothing to be done" in copy.succeed("-n", *TARGETS)


@minutes
def test_a_clock_that_was_set_back(undisturbed: Checkout, copy: Checkout) -> None:
    """Snakemake refuses what would be older than its input; the README's command mends that at no cost."""
    score_file(copy, "kde").unlink()
    before = copy.scores()
    set_times(copy, lambda: 86400)
    run = copy.run(*TARGETS)
    assert run.returncode != 0
    assert "has older modification time" in run.stdout + run.stderr
    assert copy.scores() == before
    subprocess.run("find results -newermt now -exec touch {} +", shell=True, check=True, cwd=copy.folder)
    output = copy.succeed(*TARGETS)
    assert rules(output) == {"fit": 1, "metrics": 1}
    assert copy.scores() == undisturbed.scores()


def test_a_limit_of_the_size_of_files_is_said_before_any_job(undisturbed: Checkout, copy: Checkout) -> None:
    """A limit that everybody can set; what a job does with a file that is not taken whole is atomic_write's test."""
    score_file(copy, "kde").unlink()
    before = copy.scores()
    status, output = shell(copy, 'ulimit -f 20; "$@"', *TARGETS)
    assert status != 0
    assert "Traceback" not in output
    assert re.search(r"No temporary file can be written to .*: File too large\. Make room there", output)
    assert "localrule" not in output
    assert copy.scores() == before
    assert not list(copy.folder.glob("results/**/.*"))
    copy.succeed(*TARGETS)
    assert copy.scores() == undisturbed.scores()


@minutes
def test_a_full_disk(undisturbed: Checkout, copy: Checkout, own_mounts: tuple[str, ...]) -> None:
    """Results lie on a disk of 2 MB, on which another file leaves 8 kB; then that file goes."""
    score_file(copy, "kde").unlink()
    (copy.folder / "results" / "autoencoders" / "digits" / "3" / "seed-0.npz").unlink()
    score_file(copy, "deep_svdd").unlink()
    script = """
        mv results made && mkdir results && mount -t tmpfs -o size=2m tmpfs results && cp -a made/. results
        dd if=/dev/zero of=results/filler bs=4k status=none
        truncate --size=-8k results/filler
        "$@" --keep-going && exit 1
        rm results/filler
        "$@" && cp -a results after
    """
    status, output = shell(copy, script, *TARGETS, within=own_mounts)
    assert status == 0, output
    # Where the log of a job still has room, it also says which file could not be written.
    assert "MiB are free on the disk of results. Make room" in output
    assert "Segmentation fault" not in output
    copy.folder.joinpath("results").rmdir()
    copy.folder.joinpath("after").rename(copy.folder / "results")
    assert copy.scores() == undisturbed.scores()
    assert not list(copy.folder.glob("results/**/.*"))


@minutes
def test_results_that_are_read_only(copy: Checkout, own_mounts: tuple[str, ...]) -> None:
    """A finished run looks at them and does nothing; another one is refused before any job."""
    before = copy.scores()
    read_only = 'mount --bind results results && mount -o remount,ro,bind results && "$@"'
    status, output = shell(copy, read_only, *TARGETS, within=own_mounts)
    assert status == 0, output
    assert "Nothing to be done" in output
    status, output = shell(copy, read_only, PATTERN.format("kde", 1), "--config", "seeds=2", within=own_mounts)
    assert status != 0
    assert f"Nothing can be written to {copy.folder}/results: Read-only file system. Mend that, or name" in output
    assert "localrule" not in output
    # Snakemake's own words, where a file that is there would have to change.
    status, output = shell(copy, read_only, MEASURED, "--config", "seeds=2", within=own_mounts)
    assert status != 0
    assert "Write-protected output files for rule metrics" in output
    assert "localrule" not in output
    assert copy.scores() == before


def test_a_score_file_that_is_not_whole_or_not_its_own(undisturbed: Checkout, copy: Checkout) -> None:
    """It is said, and that fit alone is made again; a dry run shows it."""
    path, other = score_file(copy, "kde"), score_file(copy, "deep_svdd")
    whole, before = path.read_bytes(), other.stat().st_mtime_ns
    for content, message in (
        (truncated(whole), "is damaged or of another kind: it does not end as a Parquet file"),
        (of_another_schema(whole), "is damaged or of another kind: it does not state its recipe"),
        (other.read_bytes(), r"was made with other settings \(.*identity.method"),
    ):
        path.write_bytes(content)
        output = copy.succeed("-n", MEASURED)
        assert re.search(rf"{PATTERN.format('kde', 0)} {message}.*\. It is made again\.", output)
        assert rules(output) == {"fit": 1, "metrics": 1}
    copy.succeed(MEASURED)
    assert copy.scores() == undisturbed.scores()
    assert other.stat().st_mtime_ns == before
    assert "Nothing to be done" in copy.succeed("-n", MEASURED)


@minutes
@pytest.mark.parametrize(
    ("file", "method", "damage"),
    [
        ("images/digits/train.npy", "kde", truncated),
        ("images/digits/train.npy", "kde", altered),
        ("autoencoders/digits/3/seed-0.npz", "deep_svdd", altered),
    ],
    ids=["short-array", "array", "autoencoder"],
)
def test_a_damaged_input_is_named_and_made_again_alone(
    undisturbed: Checkout, copy: Checkout, file: str, method: str, damage: Callable[[bytes], bytes]
) -> None:
    """As the README says: deleted, made alone, and then the usual command finds everything else up to date."""
    path = copy.folder / "results" / file
    times = path.stat()
    path.write_bytes(damage(path.read_bytes()))
    # As a failing disk does it: Snakemake would take a newer file for a changed one.
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    score_file(copy, method).unlink()
    run = copy.run(*TARGETS)
    output = run.stdout + run.stderr
    assert run.returncode != 0
    assert re.search(rf"error: results/{file} .*Delete it to have it remade", output)
    assert "Traceback" not in output
    (kept,) = copy.scores().items()
    assert kept in undisturbed.scores().items()
    path.unlink()
    copy.succeed(f"results/{file}")
    assert rules(copy.succeed("-n", *TARGETS)) == {"fit": 1, "metrics": 1}
    copy.succeed(*TARGETS)
    assert copy.scores() == undisturbed.scores()


def test_a_file_that_no_longer_states_its_recipe_is_made_again(undisturbed: Checkout, copy: Checkout) -> None:
    """An archive of weights without its end: planning says so, and only what follows from it runs."""
    path = copy.folder / "results" / "autoencoders" / "digits" / "3" / "seed-0.npz"
    path.write_bytes(truncated(path.read_bytes()))
    score_file(copy, "deep_svdd").unlink()
    output = copy.succeed("-n", *TARGETS)
    assert "seed-0.npz does not say how it came about (File is not a zip file). It is made again." in output
    assert rules(output) == {"autoencoder": 1, "fit": 1, "metrics": 1}
    copy.succeed(*TARGETS)
    assert copy.scores() == undisturbed.scores()
