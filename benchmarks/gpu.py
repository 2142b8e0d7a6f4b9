"""What the deep methods of config/paper.yaml would take on one GPU, several fits sharing it.

python -m benchmarks.gpu [--backend jax] [--processes 4] [--experiments mnist …] [--methods dcae …]

Each method of each experiment is fitted to noise of the true size by --processes processes at once, for one epoch
and for a few more: the difference is an epoch, the rest is building. With the epochs, search steps, classes and seeds
of the configuration, that gives hours for all fits of Tables 3 and 4. Compiling is timed once a method, in one process:
as docs/cluster.md advises, JAX keeps what it compiled for the fits that follow, so that an epoch is no difference of
two compilations. TensorFlow has no such store, and compiles within the fixed part. The shallow methods and the attack,
which run on the CPU, are not in it; `ocnn` is counted to the limit of its iterations.

Where there is no GPU, everything is cut down and runs on the CPU; that shows that the script runs, and its hours, of
differences shorter than a compilation varies, mean nothing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import yaml

from benchmarks._measure import ROOT, Cost, Worker, machine, median, positive, run_timed, show
from benchmarks._record import Record
from benchmarks._training_case import RCAE_EPOCHS, Case, one_phase
from benchmarks.report import sample_labels
from ocnn.config.checks import load
from ocnn.config.schema import Config
from ocnn.data.splits import anomaly_count
from ocnn.methods import METHODS, load_estimator

#: What a job of the workflow imports, and what makes the backend find its devices.
IMPORTS = (
    "import ocnn.steps.__main__, ocnn.steps.fit, ocnn.networks.models, ocnn.networks.training; "
    "import keras; keras.ops.ones(1)"
)
DEVICES = {
    "jax": "import jax; print(*(d.device_kind for d in jax.devices() if d.platform != 'cpu'), sep=', ')",
    "tensorflow": (
        "import tensorflow as tf;"
        " print(*(tf.config.experimental.get_device_details(d).get('device_name', d.name)"
        " for d in tf.config.list_physical_devices('GPU')), sep=', ')"
    ),
}
NAMES = {path: name for name, path in METHODS.items()}
#: Of the samples, whether or not OCNN_MIRROR names a folder; for what is printed, and for the record.
KIND = "noise"


def set_backend(backend: str, processes: int, store: str) -> None:
    """Tells the processes to come how to share a GPU, and JAX where to keep what it compiles."""
    os.environ["KERAS_BACKEND"] = backend
    os.environ["JAX_COMPILATION_CACHE_DIR"] = store
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    os.environ["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.9 / processes:.3f}"
    os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"


def deep_rows(config: Config, experiment: str) -> list[str]:
    """The rows of an experiment whose methods are trained networks."""
    return [
        row for row in config.methods_of(experiment) if hasattr(load_estimator(config.estimator(row)), "_fit_network")
    ]


def sizes(config: Config, experiment: str) -> tuple[int, int, tuple[int, ...]]:
    """Samples of a training set and of the test part, and the shape of one."""
    labels, shape = sample_labels(config, experiment)
    block = config.experiments[experiment]
    if block.attack is not None:
        return len(labels["train"]), len(labels["test"]), shape
    normals = int((labels["train"] == 0).sum())
    return normals + anomaly_count(normals, block.share), len(labels["test"]), shape


def cases(
    config: Config, experiment: str, chosen: Sequence[str], images: int | None
) -> dict[str, tuple[Case, int, float]]:
    """What the fits of a class and seed are made of: by name a case, its passes, and over how many of its images.

    A pass is an epoch, of `rcae` an outer iteration, of `search` a step. The row `dcae` takes the autoencoder as it is,
    so that its training stands for the shared one.
    """
    train, test, shape = sizes(config, experiment)
    count = images or train
    found = {}
    for row in chosen:
        settings, kind = one_phase(config, experiment, row), NAMES[config.estimator(row)]
        given = config.settings(experiment, row, seed=0)
        epochs = sum(given.get("epochs", settings["epochs"]))
        passes = epochs // RCAE_EPOCHS if kind == "rcae" else epochs
        found[row] = Case(kind, settings, shape, count, 1), passes, train / count
        if kind == "anogan":
            batch = min(images or settings["search_batch_size"], settings["search_batch_size"])
            steps = given.get("steps", load_estimator(config.estimator(row))().steps)
            found[f"{row}, search"] = Case("search", settings, shape, batch, 1), steps, (train + test) / batch
    return found


def together(workers: Sequence[Worker], case: Case, passes: int) -> Cost:
    """The cost of a fit when every worker makes one at the same time."""
    futures = [worker.submit("measure", case, passes) for worker in workers]
    return median([future.result() for future in futures])


def main() -> None:
    """Measures, extrapolates, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=DEVICES, default="jax")
    parser.add_argument("--processes", type=positive, help="fits at once (default 4, without a GPU 1)")
    parser.add_argument("--config", default=str(ROOT / "config" / "paper.yaml"))
    parser.add_argument("--experiments", nargs="+")
    parser.add_argument("--methods", nargs="+", help="rows of the configuration; the others are left out of the hours")
    parser.add_argument("--images", type=positive, help="samples of a fit (default: all, without a GPU 100)")
    parser.add_argument("--passes", type=positive, help="epochs between which is timed (default 20, without a GPU 2)")
    arguments = parser.parse_args()
    with open(arguments.config, encoding="utf-8") as file:
        config = load(yaml.safe_load(file))
    unknown = {*(arguments.experiments or [])} - {*config.experiments}
    if unknown:
        parser.error(f"no experiment {', '.join(sorted(unknown))} in {arguments.config}")
    devices = [sys.executable, "-c", DEVICES[arguments.backend]]
    # What it prints alone: TensorFlow logs to the other stream.
    gpu = subprocess.run(devices, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    processes = arguments.processes or (4 if gpu else 1)
    images = arguments.images or (None if gpu else 100)
    passes = arguments.passes or (20 if gpu else 2)
    device = gpu or f"NO GPU: cut down, on {machine()}"
    print(f"{device}; {arguments.backend}, {processes} fits at once; the samples are {KIND}", flush=True)
    with tempfile.TemporaryDirectory() as store:
        set_backend(arguments.backend, processes, store)
        imports = run_timed([sys.executable, "-c", IMPORTS], ROOT)[0].wall
        print(f"start of a job: {imports:.1f} s")
        workers = [Worker("benchmarks._training_ours", threads=1) for _ in range(processes)]
        rows = extrapolate(arguments, config, workers, imports, images, passes)
        for worker in workers:
            worker.close()
    plan = config.plan()
    record = Record(__file__, {**vars(arguments), "samples": KIND})
    record.keep(rows, by=["experiment", "method"], followed=["s a pass", "hours"])
    for table, attacked in (("Table 3", False), ("Table 4", True)):
        hours = [row["hours"] for row in rows if (plan[row["experiment"]].attack is not None) == attacked]
        if hours:
            print(f"{table}: {sum(hours):.2f} hours")


def extrapolate(
    arguments: argparse.Namespace,
    config: Config,
    workers: Sequence[Worker],
    imports: float,
    images: int | None,
    passes: int,
) -> list[dict[str, Any]]:
    """Time every case, and multiply by what the configuration has of it; each row is printed as it comes."""
    plan = config.plan()
    rows: list[dict[str, Any]] = []
    measured: dict[str, tuple[float, float, float]] = {}
    for experiment in arguments.experiments or [block.name for block in plan.experiments if block.images]:
        block = plan[experiment]
        fits = len(block.normal_classes) * len(block.seeds)
        chosen = arguments.methods or deep_rows(config, experiment)
        for name, (case, wanted, share) in cases(config, experiment, chosen, images).items():
            # An outer iteration of rcae is ten epochs; a step of the search is of one batch.
            counted = {"rcae": max(1, passes // RCAE_EPOCHS), "search": 10 * passes}.get(case.method, passes)
            if repr(case) not in measured:  # experiments that differ in the attack's steps have the same fits
                if not measured:
                    together(workers, case, 1)  # each worker's first use of the device
                costs = [together(workers[:1], case, 1)]
                costs += [together(workers, case, 1), together(workers, case, 1 + counted)]
                measured[repr(case)] = costs[0].wall, costs[1].wall, costs[2].wall
            first, short, long = measured[repr(case)]
            one = max(0.0, long - short) / counted
            fixed = max(0.0, short - one) + (0 if case.method == "search" else imports)
            rows.append(
                {
                    "experiment": experiment,
                    "method": name,
                    "fits": fits,
                    "passes": wanted,
                    "s a pass": one * share,
                    "s fixed": fixed,
                    "s of the first": first,
                    "hours": fits * (wanted * one * share + fixed) / len(workers) / 3600,
                }
            )
            show(rows[-1:])
    return rows


if __name__ == "__main__":
    main()
