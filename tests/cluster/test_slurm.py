"""The workflow through a real SLURM cluster, and what can go wrong there. Minutes: `make test-cluster` runs these."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from ocnn.results.scores import read_scores
from tests.cluster.slurm import Cluster, missing
from tests.workflow.conftest import CONFIG, Checkout

METHODS = list(CONFIG["methods"])
SPLIT = "results/splits/digits/3/seed-0.parquet"
#: As the profile, but for a cluster that answers at once.
ARGUMENTS = (
    "results/metrics.parquet",
    *("--profile", "workflow/profiles/slurm"),
    *("--cores", "1", "--latency-wait", "10", "--slurm-init-seconds-before-status-checks", "2"),
)
#: Seconds that a fit of the methods below takes for nothing.
PAUSE = 40
#: A user's methods. The first fit of a `Sleeper` takes ten minutes; a `Slow` one can be caught while it runs; the
#: others tell which GPUs they see.
METHODS_OF_A_USER = f"""
import os
import time
from pathlib import Path
from ocnn.methods.deep_svdd import DeepSVDD
from ocnn.methods.kde import KDE

def note(name):
    with Path(name).open("a") as file:
        print(os.environ.get("CUDA_VISIBLE_DEVICES", "no GPU"), file=file)

class Sleeper(KDE):
    def _fit(self, X):
        if not Path("slept").exists():
            Path("slept").touch()
            time.sleep(600)
        super()._fit(X)

class Slow(KDE):
    def _fit(self, X):
        note("slow")
        time.sleep({PAUSE})
        super()._fit(X)

class Shallow(KDE):
    def _fit(self, X):
        note("shallow")
        super()._fit(X)

class Deep(DeepSVDD):
    def _fit_network(self, X):
        note("deep")
        super()._fit_network(X)
"""

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
    cluster.show()
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
    """Jobs since a moment, by what Snakemake says of them in their comments."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.before = {job["JobId"] for job in cluster.jobs()}

    def jobs(self, name: str = "") -> list[dict[str, str]]:
        """The jobs of a rule or group, in order."""
        jobs = [job for job in self.cluster.jobs() if job["JobId"] not in self.before]
        return sorted((job for job in jobs if name in job.get("Comment", "")), key=lambda job: int(job["JobId"]))

    def states(self, name: str = "") -> list[str]:
        """How these ended, or what they do."""
        return [job["JobState"] for job in self.jobs(name)]

    def names(self) -> list[str]:
        """Of each job its rule or group."""
        return sorted(job["Comment"].removeprefix("rule_").removeprefix("group_").split("_")[0] for job in self.jobs())


def start(checkout: Checkout, *arguments: str) -> subprocess.Popen[str]:
    """Snakemake in the background."""
    command = checkout.command(*ARGUMENTS, *arguments)
    return subprocess.Popen(**command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def give(checkout: Checkout, **methods: str) -> None:
    """Adds a user's methods to the configuration, each with the class that it is."""
    (checkout.folder / "user.py").write_text(METHODS_OF_A_USER)
    rows = {name: {"estimator": f"user:{estimator}"} for name, estimator in methods.items()}
    checkout.configure({**CONFIG, "methods": {"kde": {}, **rows}})


def scores(checkout: Checkout, method: str) -> list[float]:
    """The anomaly scores of a fit."""
    path = checkout.folder / "results" / "scores" / "digits" / "3" / method / "seed-0.parquet"
    return read_scores(path)[0]["anomaly_score"].tolist()


def test_short_fits_share_a_submission_and_long_ones_have_their_own(
    cluster: Cluster, checkout: Checkout, local: dict[str, bytes]
) -> None:
    submitted = Submitted(cluster)
    checkout.succeed(*ARGUMENTS, "--config", "seeds=2")
    first = {name: content for name, content in checkout.scores().items() if name.endswith("seed-0.parquet")}
    assert first == local
    assert len(checkout.scores()) == 2 * len(METHODS)
    assert set(submitted.states()) == {"COMPLETED"}
    # dcae, deep_svdd and ocnn have networks, kde and ocsvm have none; measuring is local.
    assert submitted.names() == sorted(["images"] + 2 * ["shallow", "autoencoder", "fit", "fit", "fit"])


def test_a_cancelled_job_is_tried_again_and_no_other(
    cluster: Cluster, checkout: Checkout, local: dict[str, bytes]
) -> None:
    submitted = Submitted(cluster)
    run = start(checkout)
    wait(lambda: "RUNNING" in submitted.states("rule_fit"))
    cancelled = submitted.jobs("rule_fit")[submitted.states("rule_fit").index("RUNNING")]
    subprocess.run(["scancel", cancelled["JobId"]], check=True)
    output, _ = run.communicate(timeout=300)
    assert run.returncode == 0, output
    assert sorted(submitted.states()) == ["CANCELLED"] + 6 * ["COMPLETED"]
    assert submitted.names() == ["autoencoder", "fit", "fit", "fit", "fit", "images", "shallow"]
    assert checkout.scores() == local


def test_a_job_over_its_memory_is_tried_again_with_more(
    cluster: Cluster, checkout: Checkout, local: dict[str, bytes]
) -> None:
    submitted = Submitted(cluster)
    checkout.succeed(*ARGUMENTS, "--set-resources", "autoencoder:mem_mb=150*attempt**4")
    first, second = submitted.jobs("autoencoder")
    assert (first["JobState"], second["JobState"]) == ("FAILED", "COMPLETED")
    assert "exceeded memory limit" in (cluster.folder / "log" / "slurmd.log").read_text()
    assert (first["MinMemoryNode"], second["MinMemoryNode"]) == ("150M", "2400M")
    assert checkout.scores() == local


def test_a_job_over_its_time_is_tried_again_with_more(cluster: Cluster, checkout: Checkout) -> None:
    give(checkout, sleeper="Sleeper")
    # Not on the cluster, so that the fit's minute is all that its submission asks for.
    checkout.succeed(SPLIT, "results/scores/digits/3/kde/seed-0.parquet")
    submitted = Submitted(cluster)
    checkout.succeed(*ARGUMENTS, "--set-resources", "fit:runtime=attempt")
    assert submitted.states() == ["TIMEOUT", "COMPLETED"]
    assert [job["TimeLimit"] for job in submitted.jobs()] == ["00:01:00", "00:02:00"]
    assert scores(checkout, "sleeper") == scores(checkout, "kde")


def test_only_what_has_a_network_gets_a_gpu(cluster: Cluster, checkout: Checkout) -> None:
    give(checkout, shallow="Shallow", deep="Deep")
    submitted = Submitted(cluster)
    checkout.succeed(*ARGUMENTS, "--config", "gpus=1")
    asked = {name: submitted.jobs(name)[0].get("TresPerJob") for name in ("shallow", "autoencoder", "rule_fit")}
    assert asked == {"shallow": None, "autoencoder": "gres:gpu:1", "rule_fit": "gres:gpu:1"}
    assert (checkout.folder / "deep").read_text() == "0\n"
    assert (checkout.folder / "shallow").read_text() == "no GPU\n"


def test_a_run_that_was_killed_is_resumed_as_the_readme_says(cluster: Cluster, checkout: Checkout) -> None:
    give(checkout, slow="Slow")
    submitted = Submitted(cluster)
    prefix = ("--slurm-jobname-prefix", "ocnn")
    run = start(checkout, *prefix)
    wait((checkout.folder / "slow").exists)
    run.send_signal(signal.SIGKILL)
    run.wait()
    # The job lives on, and a new run does not start beside it.
    assert "RUNNING" in submitted.states()
    refused = checkout.run(*ARGUMENTS)
    assert refused.returncode != 0
    assert "lock" in (refused.stdout + refused.stderr).lower()
    assert all(job["JobName"].startswith("ocnn") for job in submitted.jobs())
    # As the README says: cancel what bears the prefix, unlock, run again.
    subprocess.run(
        ["bash", "-c", "squeue -h -o '%i %j' | awk '$2 ~ /^ocnn/ {print $1}' | xargs -r scancel"], check=True
    )
    wait(lambda: "RUNNING" not in submitted.states())
    checkout.succeed("--unlock")
    checkout.succeed(*ARGUMENTS, *prefix)
    assert submitted.states("shallow") == ["CANCELLED", "COMPLETED"]
    assert scores(checkout, "slow") == scores(checkout, "kde")
    assert not list((checkout.folder / "results" / "scores").rglob(".*"))


def test_two_writers_of_one_file_leave_a_whole_one(cluster: Cluster, checkout: Checkout) -> None:
    """The unsafe way: the orphan of a killed run is left alone while a new run makes the same file."""
    give(checkout, slow="Slow")
    checkout.succeed(SPLIT, "results/scores/digits/3/kde/seed-0.parquet")
    submitted = Submitted(cluster)
    run = start(checkout)
    wait((checkout.folder / "slow").exists)
    run.send_signal(signal.SIGKILL)
    run.wait()
    checkout.succeed("--unlock")
    resumed = start(checkout)
    wait(lambda: len((checkout.folder / "slow").read_text().splitlines()) == 2)
    assert submitted.states() == ["RUNNING", "RUNNING"]
    output, _ = resumed.communicate(timeout=300)
    wait(lambda: "RUNNING" not in submitted.states())
    assert resumed.returncode == 0, (submitted.states(), output)
    assert scores(checkout, "slow") == scores(checkout, "kde")
