"""What tables, figures and the report cost at full size, on simulated score files.

python -m benchmarks.report [--config config/paper.yaml] [--cores 2]

Writes score files of the true number and size into a temporary folder, lets the workflow make everything from them that
a person reads, and prints the seconds and the memory of its largest process.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks._measure import ROOT
from benchmarks._record import Record
from ocnn.attacks.records import RECORD
from ocnn.config.checks import load
from ocnn.config.plan import PlannedExperiment
from ocnn.config.schema import Config
from ocnn.data import load_dataset
from ocnn.data.dataset import ARRAY_FILES
from ocnn.data.splits import Split, TrainingSet, draw_split, write_split
from ocnn.methods import load_estimator
from ocnn.results.scores import Fit, write_scores
from ocnn.steps.jobs import Job, Jobs
from ocnn.storage.arrays import (
    CHECKSUM_SCHEMA,
    CHECKSUMS,
    open_array,
    row_checksums,
    write_arrays,
    write_npy_files,
)
from ocnn.storage.files import safe_name
from ocnn.storage.json_files import write_json
from ocnn.storage.parquet import write_table

#: Samples a class of the training and of the test part, and the shape of a sample.
SIZES: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "mnist": (6000, 1000, (28, 28, 1)),
    "cifar10": (5000, 1000, (32, 32, 3)),
    "digits": (110, 70, (8, 8, 1)),
    "gtsrb": (780, 270, (32, 32, 3)),
}
VERSIONS = {"python": "3.11.7", "scikit-learn": "1.9.1", "keras": "3.15.1"}
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def simulate(config: Config, folder: Path) -> None:
    """Writes everything that the report is made from, as if each fit had run; every tenth fit of `ocnn` diverged.

    Args:
        config: what is simulated.
        folder: where the workflow runs.
    """
    results, plan, jobs = folder / config.results, config.plan(), Jobs(config)
    # In the order in which they would be made: nothing is older than what it comes from.
    for attack in sorted({(attack.attack, attack.steps) for attack in plan.attacked.values()}):
        _simulate_attack(jobs, results, *attack)
    for experiment in plan.experiments:
        _simulate_experiment(jobs, results, experiment)


def recipe_of(job: Job) -> dict[str, Any]:
    """Give the recipe by which a product counts as this job's, whatever it was made from."""
    return {"code": job.code, "settings": {**job.settings, **job.stated}, "inputs": {}}


def _write_checksums(folder: Path, recipe: dict[str, Any]) -> None:
    """The table of checksums of the arrays in a folder."""
    frames = []
    for file in ARRAY_FILES[:-1]:
        values = np.load(folder / file, mmap_mode="r")
        blocks = [row_checksums(values[start : start + 5000]) for start in range(0, len(values), 5000)]
        checksums = np.concatenate(blocks) if blocks else np.empty(0, np.uint64)
        frames.append(pd.DataFrame({"file": file, "row": np.arange(len(values)), "checksum": checksums}))
    write_table(folder / CHECKSUMS, pd.concat(frames, ignore_index=True), CHECKSUM_SCHEMA, {"recipe": recipe})


def check_out(config: Config, folder: Path) -> None:
    """Copies the workflow into a folder, with empty files for the archives of the configuration."""
    for part in ("Snakefile", "workflow", "ocnn", "config", "envs"):
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, folder / part)
    for source in {block.dataset or config.attacks[str(block.attack)].dataset for block in config.experiments.values()}:
        dataset = load_dataset(source)
        for archive in dataset.archives:
            path = folder / config.archives / dataset.name / archive.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def _simulate_experiment(jobs: Jobs, results: Path, experiment: PlannedExperiment) -> None:
    config, name = jobs.config, experiment.name
    dataset = config.dataset(name)
    labels, shape = sample_labels(config, name)
    arrays = results / experiment.dataset
    if not arrays.exists():
        arrays.mkdir(parents=True)
        rng = np.random.default_rng(0)
        for part in ("train", "test"):
            # A file with holes, but for the first samples: 600 MB of noise would tell nothing.
            pixels = np.lib.format.open_memmap(
                arrays / f"{part}.npy", mode="w+", dtype=np.float32, shape=(len(labels[part]), *shape)
            )
            pixels[:500] = rng.normal(size=pixels[:500].shape)
            pixels.flush()
            np.save(arrays / f"{part}_labels.npy", labels[part].astype(np.int64))
        block = config.experiments[name]
        make = jobs.pixels if block.pixels == "scaled" else jobs.images
        job = make(str(block.dataset)) if block.attack is None else jobs.adversarial_images(name)
        _write_checksums(arrays, recipe_of(job))
    for normal in experiment.normal_classes:
        for seed in experiment.seeds:
            split = draw_split(
                labels["train"],
                labels["test"],
                dataset.classes,
                normal,
                contamination=config.experiments[name].share,
                holdout=config.experiments[name].holdout,
                seed=seed,
                training_set=TrainingSet(**config.experiments[name].training_set.model_dump()),
            )
            wildcards = name, safe_name(normal), str(seed)
            file = f"{name}/{wildcards[1]}/seed-{seed}"
            recipe = {"recipe": recipe_of(jobs.split(*wildcards))}
            write_split(results / "splits" / f"{file}.parquet", Split(split, 0.0, 1.0), recipe)
            write_arrays(results / "autoencoders" / f"{file}.npz", {}, recipe_of(jobs.autoencoder(*wildcards)))
            for place, method in enumerate(experiment.methods):
                _simulate_fit(jobs, results, Fit(name, normal, method, seed), split, place)


def sample_labels(config: Config, name: str) -> tuple[dict[str, np.ndarray], tuple[int, ...]]:
    """Labels of the training and of the test part of an experiment's data at their true size, and a sample's shape."""
    block, dataset = config.experiments[name], config.dataset(name)
    if block.attack is not None:
        train, test, shape = SIZES[config.attacks[block.attack].dataset]
        images = config.attacks[block.attack].images
        if block.held_out:
            return {"train": np.zeros(train, int), "test": np.repeat([0, 1], [test, images])}, shape
        return {"train": np.repeat([0, 1], [train + test, images]), "test": np.zeros(0, int)}, shape
    if dataset.name == "synthetic":
        return {"train": np.zeros(190, int), "test": np.repeat([0, 1], [190, 10])}, (512,)
    train, test, shape = SIZES[dataset.name]
    classes = np.arange(len(dataset.classes))
    return {"train": np.repeat(classes, train), "test": np.repeat(classes, test)}, shape


def _simulate_fit(jobs: Jobs, results: Path, fit: Fit, split: pd.DataFrame, place: int) -> None:
    config, name, method, seed = jobs.config, fit.experiment, fit.method, fit.seed
    rng = np.random.default_rng([place, seed, len(fit.normal)])
    identity: dict[str, Any] = {**vars(fit)}
    anomalous = split["is_anomaly"].to_numpy()
    scores = split[["evaluation", "part", "sample", "is_anomaly", "fitted"]].assign(**identity, tuned_on=False)
    scores["anomaly_score"] = rng.normal(size=len(split)) + anomalous * (1 + 0.1 * place) - 1.5
    deep = hasattr(load_estimator(config.estimator(method)), "_fit_network")
    diverged = method == "ocnn" and seed % 10 == 9
    metadata = {
        **identity,
        "estimator": config.estimator(method),
        "settings": config.settings(name, method, seed),
        "diagnosis": {"status": "diverged" if diverged else "converged", "reason": "simulated"},
        "chosen": {},
        "history": {"loss": list(np.exp(-np.linspace(0, 3, 250)))} if deep else {},
        "backend": "tensorflow" if deep else None,
        "versions": VERSIONS,
        "recipe": recipe_of(jobs.fit(name, safe_name(fit.normal), method, str(seed))),
    }
    place_of = "{experiment}/{normal}/{method}/seed-{seed}"
    write_scores(fit.path(f"{results}/scores/{place_of}.parquet"), scores, metadata)
    benchmark = fit.path(f"{results}/benchmarks/fit/{place_of}.tsv")
    benchmark.parent.mkdir(parents=True, exist_ok=True)
    seconds = 10.0 * (place + 1)
    benchmark.write_text(f"{HEADER}{seconds}\t0:00:10\t900\t1\t1\t1\t0\t0\t100\t{seconds}\n")


def _simulate_attack(jobs: Jobs, results: Path, attack: str, steps: int) -> None:
    block, rng = jobs.config.attacks[attack], np.random.default_rng(steps)
    _, test, shape = SIZES[block.dataset]
    pixels = results / "pixels" / safe_name(load_dataset(block.dataset).name)
    if not pixels.exists():
        arrays: dict[str, Any] = {
            "train.npy": np.zeros((1, *shape), np.float32),
            "train_labels.npy": np.zeros(1, np.int64),
            "test.npy": rng.uniform(size=(test, *shape)).astype(np.float32),
            "test_labels.npy": np.zeros(test, np.int64),
        }
        write_npy_files([pixels / file for file in ARRAY_FILES], arrays, recipe_of(jobs.pixels(block.dataset)))
    folder = results / "attacks" / attack
    if not (folder / "classifier.npz").exists():
        # Once, before what is made with it.
        recipe = recipe_of(jobs.classifier(attack))
        write_arrays(folder / "classifier.npz", {}, recipe)
        write_json(folder / "classifier.json", {"recipe": recipe})
    sources = np.arange(block.images) % test
    originals = open_array(pixels / "test.npy")[sources]
    images = np.clip(originals + rng.normal(0, 0.1, (block.images, *shape)), 0, 1)
    recipe = recipe_of(jobs.attack(attack, str(steps)))
    write_arrays(folder / f"steps-{steps}.npz", {"images": images.astype(np.float32)}, recipe)
    l2 = rng.uniform(1, 2, block.images) * 1000 / (100 + steps)
    texts = {"label": "stop", "before": "stop", "after": "yield"}
    record = pd.DataFrame({"source": sources, **texts, "l2": l2, "steps": steps, "seconds": 1.0, "replaced": 0})
    stated = {"recipe": recipe_of(jobs.verify(attack, str(steps)))}
    write_table(folder / f"steps-{steps}.parquet", record, RECORD, stated)


def main() -> None:
    """Simulates, runs the workflow, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="config/paper.yaml")
    parser.add_argument("--cores", default="2")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    record = Record(__file__, vars(arguments))
    config = load(yaml.safe_load(Path(arguments.config).read_text(encoding="utf-8")))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        check_out(config, folder)
        began = time.monotonic()
        simulate(config, folder)
        files = list((folder / config.results / "scores").rglob("*.parquet"))
        size = sum(path.stat().st_size for path in files) / 2**20
        print(f"{len(files)} score files, {size:.0f} MiB, written in {time.monotonic() - began:.0f} s", flush=True)
        command = [sys.executable, "-m", "snakemake", "--cores", arguments.cores, "--configfile", arguments.config]
        began = time.monotonic()
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        if run.returncode:
            sys.exit(run.stdout + run.stderr)
        fitted = "rule fit:" in run.stdout + run.stderr
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        page = (folder / config.results / "report.html").stat().st_size / 2**20
        jobs = []
        if fitted:
            sys.exit("it fitted something, which is no part of this")
        for path in sorted((folder / config.results / "benchmarks").glob("*.tsv")):
            row = pd.read_csv(path, sep="\t", na_values="-").iloc[-1]
            jobs.append({"job": path.stem, "s": row["s"], "MiB": row["max_rss"]})
        record.keep(jobs, by=["job"])
        whole = {"fits": len(files), "s": seconds, "largest process, GiB": peak, "report.html, MiB": page}
        record.keep([whole], by=["fits"], followed=list(whole)[1:])


if __name__ == "__main__":
    main()
