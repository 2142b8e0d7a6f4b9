"""A run that was simulated, with everything made from it that a person reads."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.report import simulate
from ocnn.config.checks import load
from ocnn.config.plan import attacked
from ocnn.config.schema import Config
from ocnn.data.dataset import ARRAY_FILES
from ocnn.steps.figures import draw_adversarial_images, draw_comparisons, draw_samples
from ocnn.steps.metrics import collect_metrics
from ocnn.steps.report import make_report
from ocnn.steps.tables import make_tables
from tests.conftest import ROOT

METHODS = ["ocsvm", "kde", "iforest", "dcae", "rcae", "ocnn", "ocnn_released", "own_method"]
AUC = """dataset,class,method,auc_mean,auc_std
digits,0,kde,78.5,0.0
digits,3,kde,50.0,0.0
digits,8,kde,99.0,0.0
digits,0,ocnn,90.0,0.0
digits,3,rcae,,
signs,3,rcae,70.0,0.0
"""
CLAIMS = [
    {"name": "rcae_best", "says": "RCAE is best.", "where": "here", "dataset": "digits", "better": ["rcae"]}
    | {"than": ["kde"], "over": "classes", "classes": ["0", "3", "8"]},
    {"name": "all_found", "says": "All are found.", "where": "there", "dataset": "synthetic", "detects_all": "ocnn"},
]
NETWORK = {"network": "lenet-digits", "contamination": 1 / 11}


@dataclass(frozen=True)
class Run:
    """A simulated run: its configuration and its folder of results."""

    config: Config
    results: Path

    @property
    def plan(self) -> dict[str, Any]:
        """The plan of the run."""
        return self.config.plan()

    @property
    def scores(self) -> str:
        """Pattern of the score files."""
        return f"{self.results}/scores/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.parquet"

    def collect(self) -> None:
        """Measures the score files."""
        collect_metrics(
            self.plan["experiments"],
            self.scores,
            f"{self.results}/benchmarks/fit/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.tsv",
            self.results / "metrics.parquet",
            self.results / "histories.parquet",
            self.results / "provenance.json",
        )

    def provenance(self) -> Any:
        """What `collect` found."""
        return json.loads((self.results / "provenance.json").read_text())

    def tabulate(self) -> None:
        """Makes the tables."""
        make_tables(
            self.plan,
            self.results / "metrics.parquet",
            self.provenance(),
            f"{self.results}/splits/{{experiment}}/{{normal}}/seed-{{seed}}.parquet",
            f"{self.results}/images/{{dataset}}/train.npy",
            f"{self.results}/attacks/{{attack}}/steps-{{steps}}.parquet",
            self.results,
        )

    def draw(self) -> None:
        """Draws the figures."""
        folder = self.results / "figures"
        tables = [self.results / "tables" / f"{name}.csv" for name in ("table3", "table4")]
        draw_comparisons(
            self.plan, self.results / "metrics.parquet", self.results / "histories.parquet", tables, folder
        )
        draw_samples(self.plan, self.scores, f"{self.results}/images/{{dataset}}/{{part}}.npy", folder)
        for attack, steps in {(a["attack"], a["steps"]) for a in attacked(self.plan).values()}:
            draw_adversarial_images(
                {file: self.results / "pixels" / "digits" / file for file in ARRAY_FILES},
                self.results / "attacks" / attack / f"steps-{steps}.npz",
                self.results / "attacks" / attack / f"steps-{steps}.parquet",
                [folder / "attacks" / f"{attack}-{steps}{suffix}" for suffix in (".svg", ".png")],
            )

    def report(self) -> Path:
        """Writes the report."""
        make_report(
            self.plan,
            self.config.model_dump(mode="json"),
            self.results,
            self.provenance(),
            [self.results / "metrics.parquet", Path("resources/digits/deleted.gz")],
            ROOT / "workflow" / "report",
            self.results / "report.html",
        )
        return self.results / "report.html"


def simulated_run(folder: Path) -> Run:
    """Digits with three classes and seeds, an attack at two numbers of steps and at once, and the synthetic data."""
    (folder / "auc.csv").write_text(AUC)
    (folder / "lab.csv").write_text("dataset,class,method,auc_mean,auc_std\ndigits,0,own_method,77.25,\n")
    (folder / "claims.yaml").write_text(yaml.safe_dump(CLAIMS))
    config = load(
        {
            "results": str(folder / "results"),
            "seeds": 3,
            "methods": {
                "ocsvm": {},
                "kde": {},
                "iforest": {},
                "dcae": {},
                "rcae": {},
                "ocnn": {},
                "ocnn_released": {"published": "ocnn"},
                "own_method": {"estimator": "kde"},
            },
            "attacks": {"threes": {"dataset": "digits", "attacked_class": 3, "images": 60}},
            "experiments": {
                "digits": {
                    **NETWORK,
                    "dataset": "digits",
                    "normal_classes": [0, 3, 8],
                    "published": "digits",
                    "remark": "Simulated <scores>.",
                },
                "held_out": {**NETWORK, "attack": "threes", "steps": [0, 1000], "contamination": 0},
                "at_once": {
                    **NETWORK,
                    "attack": "threes",
                    "steps": 1000,
                    "held_out": False,
                    "contamination": 3 / 13,
                    "published": "signs",
                },
                "synthetic": {
                    "dataset": "synthetic",
                    "contamination": 0,
                    "network": "dense",
                    "published": "synthetic",
                    "settings": {name: {"network": "none"} for name in ("ocnn", "ocnn_released")},
                },
            },
            "published": {
                "auc": [str(folder / "auc.csv")],
                "data": str(ROOT / "config" / "published" / "table1.csv"),
                "networks": str(ROOT / "config" / "published" / "table2.csv"),
                "claims": str(folder / "claims.yaml"),
            },
            "references": {"lab": str(folder / "lab.csv")},
        }
    )
    simulate(config, Path())
    run = Run(config, folder / "results")
    run.collect()
    run.tabulate()
    run.draw()
    run.report()
    return run
