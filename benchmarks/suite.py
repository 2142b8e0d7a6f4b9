"""One split's methods by the workflow, against each of them run by itself, as one does without it.

python -m benchmarks.suite [--methods …] [--share 0.02] [--every 4] [--cores 2]

The workflow pretrains one autoencoder for all methods, computes the shallow ones' distances once, and runs jobs of one
thread side by side. By itself each deep method pretrains an autoencoder of its own, and kde and ocsvm are a few lines
of NumPy, an expert's (`benchmarks._peers`); one run after another, each with all cores. Data, split, seed and settings
are the same: those of config/paper.yaml for MNIST, with this --share of the epochs and search steps, on every so
manieth image.
MNIST needs OCNN_MIRROR; without it images of its size are drawn.

The AUCs of the shallow methods must be equal; by how much those of the deep ones differ is shown: their batches come in
another order.
"""

import argparse
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from sklearn.metrics import roc_auc_score

from benchmarks._data import EVERY, kind
from benchmarks._measure import ROOT, Cost, machine, positive, run_job, run_timed, show
from benchmarks._record import Record
from benchmarks.report import check_out
from ocnn.config.checks import load
from ocnn.data.dataset import ARRAY_FILES
from ocnn.results.scores import read_scores
from ocnn.steps.jobs import Jobs

EXPERIMENT, NORMAL, SEED = "suite", "7", 0
METHODS = (
    "kde",
    "ocsvm",
    "iforest",
    "dcae",
    "anogan",
    "soft_deep_svdd",
    "deep_svdd",
    "ocnn",
    "ocnn_released",
    "rcae",
)
PEERS = {"kde": "benchmarks._peers:NumPyKDE", "ocsvm": "benchmarks._peers:PrecomputedOCSVM"}
#: Methods that give the same numbers on both sides, and how closely.
SAME = ("kde", "ocsvm", "iforest")
TOLERANCE = 1e-6


def shortened(settings: dict[str, Any], share: float) -> dict[str, Any]:
    """Settings with a share of their epochs and of what goes with them, at least one of each."""

    def cut(number: int) -> int:
        return max(1, round(share * number))

    result: dict[str, Any] = {
        name: cut(value) if name in ("warm_up", "steps") else value for name, value in settings.items()
    }
    if "epochs" in settings:
        result["epochs"] = [cut(number) for number in settings["epochs"]]
        if "iterations" in settings:
            result["iterations"] = min(settings["iterations"], sum(result["epochs"]))
    return result


def make_config(methods: list[str], share: float) -> dict[str, Any]:
    """The experiment on MNIST of config/paper.yaml, shortened, for one class and seed."""
    paper = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text(encoding="utf-8"))
    block = paper["experiments"]["mnist"]
    paper["methods"]["soft_deep_svdd"].setdefault("warm_up", 10)  # the estimator's own, to be shortened too
    rows = {method: shortened(paper["methods"][method], share) for method in methods}
    for row in rows.values():
        row.pop("published", None)  # nothing is compared with published numbers here
    return {
        "methods": rows,
        "experiments": {
            EXPERIMENT: {
                **{key: block[key] for key in ("contamination", "network", "training")},
                "dataset": "benchmarks._data:DIGITS",
                "normal_classes": [NORMAL],
                "autoencoder": shortened(block["autoencoder"], share),
                "settings": {method: block["settings"][method] for method in methods if method in block["settings"]},
            }
        },
    }


class Suite:
    """Both ways of running the methods, in a copy of the workflow whose split is made."""

    def __init__(self, folder: Path, methods: list[str], share: float, cores: int) -> None:
        content = make_config(methods, share)
        self.folder, self.cores, self.config = folder, cores, load(content)
        check_out(self.config, folder)
        shutil.copytree(ROOT / "benchmarks", folder / "benchmarks")
        (folder / "config.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        self.snakemake("split")

    def snakemake(self, rule: str) -> Cost:
        """Runs the workflow as far as a rule."""
        command = [sys.executable, "-m", "snakemake", "--cores", str(self.cores), "--configfile", "config.yaml"]
        return run_timed([*command, "--quiet", "--until", rule], self.folder)[0]

    def alone(self, method: str) -> Cost:
        """Runs a method by itself."""
        job = Jobs(self.config).fit(EXPERIMENT, NORMAL, method, str(SEED))
        job = replace(job, objects={"estimator": PEERS.get(method, self.config.estimator(method))}, threads=self.cores)
        folder = f"results/images/{self.config.dataset(EXPERIMENT).name}"
        inputs = {
            "split": f"results/splits/{EXPERIMENT}/{NORMAL}/seed-{SEED}.parquet",
            "arrays": [f"{folder}/{file}" for file in ARRAY_FILES],
        }
        return run_job(self.folder, job, inputs, {"scores": f"alone/{method}.parquet"})[0]

    def job(self, rule: str, method: str = "") -> Cost:
        """What a job of the workflow took, by its benchmark file."""
        folder = self.folder / "results" / "benchmarks" / rule / EXPERIMENT / NORMAL / method
        row = pd.read_csv(folder / f"seed-{SEED}.tsv", sep="\t", na_values="-").iloc[-1]
        return Cost(row["s"], row["cpu_time"])

    def aucs(self, method: str) -> tuple[dict[str, float], dict[str, float]]:
        """AUCs of the workflow's scores and of those of the method by itself, by evaluation."""
        paths = f"results/scores/{EXPERIMENT}/{NORMAL}/{method}/seed-{SEED}.parquet", f"alone/{method}.parquet"
        found = []
        for path in paths:
            scores, _ = read_scores(self.folder / path)
            found.append(
                {
                    str(evaluation): float(roc_auc_score(rows["is_anomaly"], rows["anomaly_score"]))
                    for evaluation, rows in scores[~scores["tuned_on"]].groupby("evaluation", observed=True)
                }
            )
        return found[0], found[1]


def main() -> None:
    """Runs both, compares, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--share", type=float, default=0.02, help="of the epochs and search steps")
    parser.add_argument("--every", type=positive, default=4, help="1 keeps all images, 4 every fourth")
    parser.add_argument("--cores", type=positive, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    os.environ[EVERY] = str(arguments.every)
    print(f"{machine()}, {arguments.cores} used; {kind()}", flush=True)
    record = Record(__file__, {**vars(arguments), "samples": kind()})
    with tempfile.TemporaryDirectory() as name:
        suite = Suite(Path(name), arguments.methods, arguments.share, arguments.cores)
        together = suite.snakemake("fit")
        print(f"the workflow: {together.wall:.0f} s, {together.cpu:.0f} s of CPU", flush=True)
        if any(suite.config.uses_autoencoder(EXPERIMENT, method) for method in arguments.methods):
            shared = suite.job("autoencoder")
            print(f"  the shared autoencoder: {shared.wall:.0f} s, {shared.cpu:.0f} s of CPU", flush=True)
        alone, rows = Cost(0, 0), []
        for method in arguments.methods:
            cost, job = suite.alone(method), suite.job("fit", method)
            alone += cost
            ours, theirs = suite.aucs(method)
            rows.append(
                {
                    "method": method,
                    "in the workflow s": job.wall,
                    "CPU s": job.cpu,
                    "alone s": cost.wall,
                    "alone CPU s": cost.cpu,
                    **{f"AUC {key}": value for key, value in ours.items()},
                    "largest difference": max(abs(ours[key] - theirs[key]) for key in ours),
                }
            )
            show(rows[-1:])
            if method in SAME and not rows[-1]["largest difference"] <= TOLERANCE:
                raise SystemExit(f"{method}: the AUCs are not the same")
    record.keep(rows, by=["method"], followed=["largest difference"])
    print(f"one by one: {alone.wall:.0f} s, {alone.cpu:.0f} s of CPU")
    faster = {"by the clock": alone.wall / together.wall, "in CPU seconds": alone.cpu / together.cpu}
    record.keep([{"what": "the workflow, times faster", **faster}], by=["what"], followed=list(faster))


if __name__ == "__main__":
    main()
