"""A run that was simulated, with everything made from it that a person reads."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.report import simulate
from ocnn.config.checks import load
from ocnn.config.plan import Plan, figure_files
from ocnn.config.schema import Config
from ocnn.data.dataset import ARRAY_FILES
from ocnn.steps.figures import draw_adversarial_images, draw_comparisons, draw_samples
from ocnn.steps.metrics import collect_metrics, make_summary
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
PARQUET = ("metrics", "histories", "shapes", "mistakes", "summary", "references")
NETWORK = {"network": "lenet-digits", "contamination": 1 / 11}


@dataclass(frozen=True)
class Run:
    """A simulated run: its configuration and its folder of results."""

    config: Config
    results: Path

    @property
    def plan(self) -> Plan:
        """The plan of the run."""
        return self.config.plan()

    @property
    def scores(self) -> str:
        """Pattern of the score files."""
        return f"{self.results}/scores/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.parquet"

    @property
    def records(self) -> str:
        """Pattern of the attacks' records."""
        return f"{self.results}/attacks/{{attack}}/steps-{{steps}}.parquet"

    def files(self, *names: str) -> dict[str, Path]:
        """Files by their role, as the steps name them."""
        known = {name: self.results / f"{name}.parquet" for name in PARQUET}
        known |= {
            "provenance": self.results / "provenance.json",
            "documents": self.results / "tables" / "documents.json",
            "figures": self.results / "figures",
            "benchmarks": self.results / "benchmarks",
            "output": self.results / "report.html",
            "captions": ROOT / "workflow" / "report",
        }
        return {name: known[name] for name in names}

    def collect(self) -> None:
        """Measures the score files, and summarises that."""
        collect_metrics(
            plan=self.plan.to_json(),
            scores=self.scores,
            benchmarks=f"{self.results}/benchmarks/fit/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.tsv",
            **self.files("metrics", "histories", "shapes", "mistakes", "provenance"),
            recipe={"code": "0"},
        )
        make_summary(plan=self.plan.to_json(), **self.files("metrics", "summary", "references"), recipe={"code": "1"})

    def tabulate(self) -> None:
        """Makes the tables."""
        make_tables(
            plan=self.plan.to_json(),
            **self.files("metrics", "summary", "references", "provenance"),
            splits=f"{self.results}/splits/{{experiment}}/{{normal}}/seed-{{seed}}.parquet",
            images=f"{self.results}/{{dataset}}/train.npy",
            records=self.records,
            folder=self.results,
        )

    def draw(self) -> None:
        """Draws the figures."""
        plan, folder = self.plan.to_json(), self.results / "figures"
        draw_comparisons(
            plan=plan, **self.files("metrics", "histories", "shapes", "summary"), records=self.records, folder=folder
        )
        draw_samples(plan=plan, scores=self.scores, images=f"{self.results}/{{dataset}}/{{part}}.npy", folder=folder)
        for name in self.plan.attack_names():
            attack, steps = name.removeprefix("attacks/").split("-")
            draw_adversarial_images(
                pixels=[self.results / "pixels" / "digits" / file for file in ARRAY_FILES],
                attack=self.results / "attacks" / attack / f"steps-{steps}.npz",
                record=self.results / "attacks" / attack / f"steps-{steps}.parquet",
                outputs=[folder / file for file in figure_files([name])],
            )

    def report(self) -> Path:
        """Writes the report."""
        make_report(
            plan=self.plan.to_json(),
            configuration=self.config.model_dump(mode="json"),
            **self.files("metrics", "histories", "shapes", "mistakes", "summary", "documents"),
            **self.files("provenance", "figures", "benchmarks", "captions", "output"),
            logs=f"{self.results}/logs/fit/{{experiment}}/{{normal}}/{{method}}/seed-{{seed}}.log",
            images=f"{self.results}/{{dataset}}/{{part}}.npy",
            archives=[self.results / "metrics.parquet", Path("resources/digits/deleted.gz")],
            own=sorted((self.results / "tables").glob("*/*.json")),
            names={},
        )
        return self.results / "report.html"


def simulated_run(folder: Path) -> Run:
    """Digits with three classes and seeds, an attack at two numbers of steps and at once, synthetic data, a sweep."""
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
                "sweep": {
                    "dataset": "digits",
                    "contamination": [0, 1 / 11],
                    "normal_classes": [3],
                    "network": "lenet-digits",
                    "methods": ["kde", "dcae"],
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
