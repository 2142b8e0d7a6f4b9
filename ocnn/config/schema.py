"""The configuration of the benchmark: its keys, types and defaults, and what the workflow asks of them.

`ocnn.config.checks.load` turns the mapping that Snakemake read into a `Config`.
"""

import os
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field

from ocnn.config.plan import Plan, PlannedAttack, PlannedExperiment, PlannedMethod, PublishedFiles, Reference
from ocnn.config.values import (
    AttackSteps,
    ClassName,
    ClassNames,
    Count,
    Names,
    NetworkFields,
    Number,
    Seed,
    Seeds,
    Settings,
    Whole,
)
from ocnn.data import DATASETS, specified_dataset
from ocnn.data.dataset import Dataset
from ocnn.methods import METHODS, load_estimator
from ocnn.methods.deep import DeepDetector

#: In a method's settings: ν is the share of anomalies in the training set, the paper's choice.
SHARE_OF_ANOMALIES = "contamination"
#: Keys of a method that are not settings of its estimator.
OWN_KEYS = ("estimator", "published")


class Section(BaseModel):
    """A part of the configuration; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Autoencoder(Section):
    """Pretraining: epochs and learning rate of each phase."""

    epochs: tuple[Annotated[Whole, Field(ge=0)], ...] = (250, 100)
    learning_rates: tuple[Annotated[Number, Field(gt=0)], ...] = (1e-4, 1e-5)


class Training(Section):
    """What every deep method of an experiment shares."""

    batch_size: Count = 200
    weight_decay: Annotated[Number, Field(ge=0)] = 1e-5


class Classifier(Section):
    """The classifier that is attacked.

    widths: filters of its convolutions, each followed by 2 × 2 pooling.
    epochs, learning_rate, batch_size: of its training.
    minimum_accuracy: on the test part, before an attack starts.
    seed: of its initialisation, batches and dropout.
    """

    widths: Annotated[tuple[Count, ...], Field(min_length=1)] = (16, 32, 64)
    epochs: Count = 15
    learning_rate: Annotated[Number, Field(gt=0)] = 1e-3
    batch_size: Count = 128
    minimum_accuracy: Annotated[Number, Field(ge=0, le=1)] = 0.9
    seed: Seed = 0


class Attack(Section):
    """A boundary attack on test images of one class.

    dataset, attacked_class: whose images are attacked.
    images: how many.
    segment: steps that a job makes, and an interruption can lose at most; the attack adapts its step sizes by the
        outcomes of up to 1,000 steps within a segment, so that fewer would stop it from adapting.
    seed: decides which images are attacked, and the attack's random directions.
    """

    dataset: str
    attacked_class: ClassName
    images: Annotated[Count, Field(le=1_000_000)] = 100
    segment: Annotated[Whole, Field(ge=1000)] = 1000
    seed: Seed = 0
    classifier: Classifier = Classifier()


class Experiment(Section):
    """A data set, how it is split, and the methods that are fitted to each split.

    dataset: name, or `package.module:OBJECT`; or, instead of it,
    attack: name in `attacks`; the attacked class is normal and its adversarial images are the anomalies.
    steps: of the attack; a list makes an experiment of each, `NAME_STEPS`.
    held_out: whether the attacked test images and the adversarial ones are the test part, or everything is fitted and
        scored at once, as in the paper.
    normal_classes: names of classes, or `all`.
    contamination: anomalies in the training set, as a share of its normal samples.
    holdout: share of the test samples that methods which tune on labels may use, and are then not measured on.
    seeds: how many (0, 1, …), or which; overrides the configuration's.
    network: name in `ocnn.networks.shapes.NETWORKS`, the fields of a `Network`, or `auto`.
    methods: names from the configuration's `methods`, or `all`.
    settings: for a method's name, settings that override those in `methods`.
    published: the `dataset` of the published results to compare with.
    remark: what a reader of its results must know, as that it is not the published protocol.
    """

    dataset: str | None = None
    attack: str | None = None
    steps: AttackSteps | None = None
    held_out: bool = True
    normal_classes: ClassNames = "all"
    contamination: Annotated[Number, Field(ge=0, lt=1)]
    holdout: Annotated[Number, Field(ge=0, lt=1)] = 0.1
    seeds: Seeds | None = None
    network: NetworkFields = "auto"
    training: Training = Training()
    autoencoder: Autoencoder = Autoencoder()
    methods: Names = "all"
    settings: dict[str, Settings] = {}
    published: str | None = None
    remark: str = ""


class Published(Section):
    """Files of what was published.

    auc: CSV files of AUCs, columns `ocnn.results.published.AUC_COLUMNS`.
    data, networks: CSV files of texts for Tables 1 and 2.
    claims: YAML file of claims.
    """

    auc: list[str] = []
    data: str | None = None
    networks: str | None = None
    claims: str | None = None


class Verdicts(Section):
    """The rule by which a published cell holds, see `ocnn.results.statistics.judge_means`.

    margin: in points of AUC (percent), within which a mean counts as the same.
    alpha: chance of any wrong verdict in an experiment under one evaluation; level of a claim.
    """

    margin: Annotated[Number, Field(gt=0)] = 2.0
    alpha: Annotated[Number, Field(gt=0, lt=0.5)] = 0.05


class Config(Section):
    """The whole configuration.

    results, archives: folders for what the workflow makes, and for downloaded archives.
    mirror: folder to take archives from instead of downloading; the environment variable OCNN_MIRROR overrides it.
    seeds: how many (0, 1, …), or which, for experiments that do not say.
    threads: CPU threads of a fit.
    gpus: GPUs that a job with a network asks a cluster for; a backend that knows them is a matter of the environment.
    methods: rows of the tables, at least one: a name, and the estimator's settings; `estimator` names it if the row's
        name is not its own: a name in `ocnn.methods.METHODS` or `package.module:Class`; `published` names the published
        column to compare with if that has another name.
    attacks: boundary attacks, by name.
    experiments: by name, at least one.
    run: names of the experiments to run, or `all`; the others are checked and left out.
    published: files of published results.
    references: CSV files of other labs' AUCs, by the name of their column in the tables.
    verdicts: the rule by which a published cell holds.
    """

    results: str = "results"
    archives: str = "resources"
    mirror: str | None = None
    seeds: Seeds = 1
    threads: Count = 1
    gpus: Annotated[Whole, Field(ge=0)] = 0
    methods: dict[str, Settings | None] = {}
    attacks: dict[str, Attack] = {}
    experiments: dict[str, Experiment] = {}
    run: Names = "all"
    published: Published = Published()
    references: dict[str, str] = {}
    verdicts: Verdicts = Verdicts()

    def dataset(self, experiment: str) -> Dataset:
        """The data set of an experiment."""
        return specified_dataset(self.dataset_specification(experiment))

    def dataset_specification(self, experiment: str) -> dict[str, Any]:
        """The data set of an experiment, see `specified_dataset`."""
        block = self.experiments[experiment]
        if block.attack is None:
            return {"dataset": self.dataset_path(str(block.dataset))}
        attack = self.attacks[block.attack]
        return {
            "dataset": self.dataset_path(attack.dataset),
            "attacked_class": str(attack.attacked_class),
            "name": f"{block.attack}-{block.steps}-{'heldout' if block.held_out else 'all'}",
            "held_out": block.held_out,
            "images": attack.images,
        }

    def dataset_path(self, dataset: str) -> str:
        """Where a data set is defined, `package.module:OBJECT`."""
        return DATASETS.get(dataset, dataset)

    def previous_steps(self, attack: str, steps: int) -> int | None:
        """The steps of the attack that one of so many steps goes on with; None for the first."""
        segment = self.attacks[attack].segment
        return None if steps == 0 else (steps - 1) // segment * segment

    def mirror_folder(self) -> Path | None:
        """The mirror: OCNN_MIRROR if it is set, else the configured one."""
        folder = os.environ.get("OCNN_MIRROR") or self.mirror
        return Path(folder).expanduser() if folder else None

    def normal_classes(self, experiment: str) -> list[str]:
        """The normal classes of an experiment, in order."""
        chosen = self.experiments[experiment].normal_classes
        return list(self.dataset(experiment).normal_classes) if chosen == "all" else [str(name) for name in chosen]

    def seeds_of(self, experiment: str) -> list[int]:
        """The seeds of an experiment."""
        own = self.experiments[experiment].seeds
        seeds = self.seeds if own is None else own
        return list(range(seeds)) if isinstance(seeds, int) else seeds

    def methods_of(self, experiment: str) -> list[str]:
        """The methods of an experiment, in the order of the tables."""
        chosen = self.experiments[experiment].methods
        return list(self.methods) if chosen == "all" else chosen

    def estimator(self, method: str) -> str:
        """Where the estimator of a method stands, `package.module:Class`."""
        name = str((self.methods[method] or {}).get("estimator") or method)
        return METHODS.get(name, name)

    def published_methods(self) -> dict[str, str]:
        """For each row of the tables the method in the published tables to compare with."""
        return {method: str((settings or {}).get("published") or method) for method, settings in self.methods.items()}

    def settings(self, experiment: str, method: str, seed: int) -> dict[str, Any]:
        """The estimator's parameters: the experiment's, then the method's, then the experiment's for the method."""
        block = self.experiments[experiment]
        shared = {
            **block.training.model_dump(),
            "network": block.network,
            "pretrain_epochs": list(block.autoencoder.epochs),
            "pretrain_learning_rates": list(block.autoencoder.learning_rates),
            "random_state": seed,
            "verbose": 1,
        }
        if self.estimator(method) == METHODS["dcae"]:
            shared |= {
                "epochs": list(block.autoencoder.epochs),
                "learning_rates": list(block.autoencoder.learning_rates),
            }
        known = load_estimator(self.estimator(method))().get_params()
        settings = {key: value for key, value in shared.items() if key in known}
        own = {**(self.methods[method] or {}), **block.settings.get(method, {})}
        settings |= {key: value for key, value in own.items() if key not in OWN_KEYS}
        if settings.get("nu") == SHARE_OF_ANOMALIES:
            # Anomalies are counted relative to the normals; ν is a share of all.
            settings["nu"] = block.contamination / (1 + block.contamination)
        return settings

    def autoencoder_settings(self, experiment: str, seed: int) -> dict[str, Any]:
        """The parameters of the shared autoencoder."""
        block = self.experiments[experiment]
        return {
            **block.training.model_dump(),
            **block.autoencoder.model_dump(mode="json"),
            "network": block.network,
            "random_state": seed,
            "verbose": 1,
        }

    def uses_autoencoder(self, experiment: str, method: str) -> bool:
        """Whether a method of an experiment starts from the shared autoencoder."""
        estimator = load_estimator(self.estimator(method))
        if not getattr(estimator, "uses_autoencoder", False):
            return False
        settings = self.settings(experiment, method, seed=0)
        return settings["network"] == self.experiments[experiment].network and settings["network"] != "none"

    def trains_network(self, method: str) -> bool:
        """Whether a method has a network to train, which takes minutes to hours and may use a GPU."""
        estimator = load_estimator(self.estimator(method))
        return issubclass(estimator, DeepDetector) or getattr(estimator, "uses_autoencoder", False)

    def plan(self) -> Plan:
        """What the tables, the figures and the report are to show."""
        experiments = []
        for name, block in self.experiments.items():
            dataset = self.dataset(name)
            attack = block.attack and PlannedAttack(block.attack, cast(int, block.steps), block.held_out)
            experiments.append(
                PlannedExperiment(
                    name,
                    tuple(self.normal_classes(name)),
                    tuple(self.methods_of(name)),
                    tuple(self.seeds_of(name)),
                    dataset=dataset.name,
                    images=dataset.images,
                    contaminated_and_tested=block.contamination > 0 and dataset.has_test,
                    attack=attack or None,
                    published=block.published,
                    remark=block.remark,
                )
            )
        return Plan(
            tuple(experiments),
            tuple(PlannedMethod(*names) for names in self.published_methods().items()),
            PublishedFiles(**{**dict(self.published), "auc": tuple(self.published.auc)}),
            tuple(Reference(*named) for named in self.references.items()),
            **dict(self.verdicts),
        )
