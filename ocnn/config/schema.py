"""The configuration of the benchmark: its keys, types, defaults and meaning, and what the workflow asks of them.

`ocnn.config.checks.load` turns the mapping that Snakemake read into a `Config`. The descriptions here are the only
ones: `python -m ocnn.config` writes the reference page, the JSON schemas and the commented configuration from them.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from ocnn.config.own_data import ImageFolder, OwnData
from ocnn.config.plan import Plan, PlannedAttack, PlannedExperiment, PlannedMethod, PublishedFiles, Reference
from ocnn.config.values import (
    NAME_TEXT,
    AttackSteps,
    ClassName,
    ClassNames,
    Contamination,
    Count,
    Epochs,
    Flag,
    Folder,
    Names,
    NetworkFields,
    Number,
    Or,
    PathText,
    Section,
    Seed,
    Seeds,
    Settings,
    Share,
    Whole,
    Widths,
    typed,
)
from ocnn.data import DATASETS, load_dataset
from ocnn.data.adversarial import adversarial_dataset
from ocnn.data.dataset import Dataset
from ocnn.data.folders import folder_dataset
from ocnn.data.preprocessing import PIXELS
from ocnn.data.tables import table_dataset
from ocnn.methods import METHODS, load_estimator
from ocnn.methods.base import AnomalyDetector
from ocnn.methods.wrapped import parameters_of, usual_settings
from ocnn.storage.files import safe_name

#: Of a mapping whose keys the user chooses.
NAMED = {"propertyNames": {"pattern": f"^{NAME_TEXT}$"}}
LearningRate = Annotated[Number, Field(gt=0)]


class Autoencoder(Section):
    """The pretraining that the deep methods of an experiment share."""

    epochs: Annotated[tuple[Epochs, ...], Field(min_length=1)] = (250, 100)
    """epochs of each phase; 0 leaves a phase out"""
    learning_rates: Annotated[tuple[LearningRate, ...], Field(min_length=1)] = (1e-4, 1e-5)
    """learning rate of each phase, as many as `epochs`"""


class Training(Section):
    """What every deep method of an experiment shares."""

    batch_size: Annotated[Count, Field(le=1_000_000)] | None = None
    """samples per step of the optimiser; none: what each method has by itself, 200, and more from 100,000 samples on"""
    weight_decay: Annotated[Number, Field(ge=0)] = 1e-5
    """factor of the regulariser ½ Σ‖W‖²; a method may have its own"""


class TrainingSet(Section):
    """Which samples make the training set, in which order, and which of them are fitted."""

    left_out: Annotated[Share, Field(ge=0, lt=1)] = 0.0
    """share of the training part's normals that take no part at all, drawn at random and rounded down"""
    test_normals: Literal["none", "scored", "fitted"] = "none"
    """whether the normals of the test part join the set: `none`; `scored`, without being fitted; `fitted`. Then
    `holdout` must be 0"""
    order: Literal["index", "normals_first", "shuffled"] = "index"
    """order of the set: `index`, each part's samples by their index; `normals_first`, normals of the training part,
    those of the test part, anomalies, each drawn in an order of its own; `shuffled`, all in one such order"""
    validation_split: Annotated[Share, Field(ge=0, lt=1)] = 0.0
    """share of what would be fitted that is scored only: its last samples in this order, as by Keras's argument of this
    name; the evaluation `held_out` measures its normals"""
    round_down: Flag = False
    """true rounds the number of anomalies down; false to the nearest"""


class Classifier(Section):
    """The classifier that is attacked."""

    widths: Widths = (16, 32, 64)
    """filters of each convolution, which is followed by 2 × 2 pooling"""
    epochs: Annotated[Count, Field(le=100_000)] = 15
    """epochs of its training"""
    learning_rate: LearningRate = 1e-3
    """learning rate of its training"""
    batch_size: Annotated[Count, Field(le=1_000_000)] = 128
    """images per step of its training"""
    minimum_accuracy: Annotated[Number, Field(ge=0, le=1)] = 0.9
    """accuracy on the test part below which no attack starts"""
    seed: Seed = 0
    """decides its initial weights, batches and dropout"""


class Attack(Section):
    """A boundary attack on test images of one class."""

    dataset: Annotated[str, Field(examples=["mnist"])]
    """data set with the attacked class, named as in an experiment"""
    attacked_class: Annotated[ClassName, Field(examples=[3])]
    """class whose test images are attacked"""
    images: Annotated[Count, Field(le=100_000)] = 100
    """how many are attacked: drawn at random from those that are correctly classified; one for which no misclassified
    image is found gives way to another"""
    segment: Annotated[Whole, Field(ge=1000, le=1_000_000)] = 1000
    """steps per job, and so the most that an interruption loses; at least 1,000, within which foolbox adapts its step
    sizes"""
    seed: Seed = 0
    """decides which images are attacked, and the random directions of the attack"""
    classifier: Classifier = Classifier()
    """the classifier that is attacked"""


class Experiment(Section):
    """A data set, how it is split, and the methods that are fitted to each split."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {
                    "required": ["dataset"],
                    "properties": {
                        "dataset": {"type": "string"},
                        "attack": {"type": "null"},
                        "steps": {"type": "null"},
                        "held_out": {"enum": [True, "true", "True", "TRUE"]},
                    },
                },
                {
                    "required": ["attack", "steps"],
                    "properties": {
                        "attack": {"type": "string"},
                        "dataset": {"type": "null"},
                        "steps": {"not": {"type": "null"}},
                    },
                },
            ]
        }
    )

    dataset: Annotated[str | None, Field(examples=["digits"])] = None
    """name in `datasets` or in `ocnn.data.DATASETS`, or `package.module:OBJECT`; this or `attack` is required"""
    attack: str | None = None
    """name in `attacks`: the attacked class is normal, its adversarial images are the anomalies; this or `dataset` is
    required"""
    steps: AttackSteps | None = None
    """steps of that attack, required with `attack`; a list makes an experiment `NAME_STEPS` of each"""
    held_out: Flag = True
    """with `attack`: true fits the training images of the class and scores its test images and the adversarial ones;
    false fits and scores all of them at once, as in the paper"""
    pixels: Literal["normalised", "scaled"] = "normalised"
    """of images: `normalised`, as in the paper, by global contrast normalisation and then to [0, 1] by the normal
    samples; `scaled`, divided by 255 and nothing more. Not with `attack`"""
    normal_classes: ClassNames = "all"
    """classes that are normal in turn, or `all`"""
    contamination: Annotated[Contamination, Field(examples=["1/11"])]
    """share of anomalies among all samples of the training set, as in scikit-learn and PyOD; 0 for clean training. A
    fraction may be written out: `1/101` is 1 anomaly to 100 normals. A list makes an experiment of each, `NAME_0`,
    `NAME_1_101`, …, scored on the same test part. With `attack`, 0 where the adversarial images are held out; else it
    says how many of them take part. Without labels nothing is drawn: it is what methods suppose for their threshold"""
    holdout: Annotated[Share, Field(ge=0, lt=1)] = 0.1
    """share of the test samples whose labels a method may tune on; it is not measured on them. Without labels 0"""
    training_set: TrainingSet = TrainingSet()
    """which samples make the training set, and which are fitted; by default all normals of the training part"""
    seeds: Seeds | None = None
    """how many seeds (0, 1, …), or a list of them; none: those of the configuration"""
    network: NetworkFields = "auto"
    """name in `ocnn.networks.shapes.NETWORKS`, its fields `{kind, widths, code, kernel}`, or `auto`"""
    training: Training = Training()
    """what every deep method shares"""
    autoencoder: Autoencoder = Autoencoder()
    """the shared pretraining"""
    shuffled: str | None = None
    """name of the experiment that is this one with `order: shuffled`. Where a part of the training set is held out by
    `validation_split`, the table and the figure `decomposition` say what each step of the protocol is worth; this one
    adds the step of fitting anomalies, too"""
    methods: Names = "all"
    """names in `methods`, or `all`"""
    settings: dict[str, Settings] = {}
    """name of a method → settings that override those under `methods`"""
    published: str | None = None
    """`dataset` in the published tables and claims to compare with"""
    judged: Flag = True
    """whether the published cells are judged: on the test part or, where there is none or its normals join it, on the
    training set. Only where the protocol is the published one; false shows them beside ours without a verdict"""
    anomaly_classes: Flag = False
    """true adds a table of the AUC on each class of anomalies alone, each kind of defect, beside that on all of them.
    Not with `attack`"""
    remark: str = ""
    """what a reader of the results must know, shown with them: that it is not the published protocol, say"""
    _family: str | None = PrivateAttr(None)

    @property
    def share(self) -> float:
        """The contamination, of an experiment that is no list of them any more."""
        return cast(float, self.contamination)

    @property
    def family(self) -> str | None:
        """The name of the block whose list of contaminations this experiment is one of."""
        return self._family

    def published_evaluation(self, has_test: bool) -> str:
        """The evaluation that a published cell states: the released protocol scores the set that it fits."""
        return "test" if has_test and self.training_set.test_normals == "none" else "train"

    def member(self, name: str, share: float) -> "Experiment":
        """The experiment of one contamination of this block's list; `name` is the block's."""
        member = self.model_copy(update={"contamination": share})
        if isinstance(self.contamination, list):
            member._family = name
        return member


#: What an experiment has for those of its methods that take it, see `shared_parameters`.
SHARED_SETTINGS: dict[str, Callable[[Experiment, int], Any]] = {
    "batch_size": lambda block, seed: block.training.batch_size,
    "weight_decay": lambda block, seed: block.training.weight_decay,
    "network": lambda block, seed: block.network,
    "pretrain_epochs": lambda block, seed: list(block.autoencoder.epochs),
    "pretrain_learning_rates": lambda block, seed: list(block.autoencoder.learning_rates),
    "contamination": lambda block, seed: block.contamination,
    "seed": lambda block, seed: seed,
    "verbose": lambda block, seed: 1,
}


def _settings(value: Any) -> Any:
    """A method's block, in which texts may stand for numbers; a method without one has no settings of its own."""
    return {} if value is None else typed(value)


class Resources(Section):
    """What a fit of a method asks a cluster for; by default what its kind does, see the profile."""

    gpus: Annotated[Whole, Field(ge=0, le=1024)] | None = None
    """GPUs; none: `gpus` of the configuration for a method that trains a network, else 0"""
    minutes: Annotated[Count, Field(le=1_000_000)] | None = None
    """minutes at most; twice and three times as many in a second and third attempt"""
    memory: Annotated[Count, Field(le=100_000_000)] | None = None
    """memory in MB, likewise"""


class MethodBlock(BaseModel):
    """A row of the tables: an estimator and its settings, which are parameters of its constructor."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)

    estimator: str | None = None
    """name in `ocnn.methods.METHODS`, or `package.module:Class`: a method of this kind, or any outlier detector with
    `fit` and `score_samples` or `decision_function`, as scikit-learn's and PyOD's; none: the name of the row itself"""
    higher_scores: Literal["normal", "anomalous"] | None = None
    """what high scores of a detector of another package mean; none: it is known, as of scikit-learn's and PyOD's"""
    images: Literal["flat", "whole"] = "flat"
    """how a detector of another package is given images: `flat`, as rows of pixels, or `whole`"""
    resources: Resources = Resources()
    """what a fit asks a cluster for"""
    published: str | None = None
    """published column to compare with; none: the one with the name of the row"""
    input: Literal["data", "codes"] = "data"
    """what the estimator is fitted to: `data`, the samples themselves, or `codes`, those that the shared autoencoder's
    encoder gives for them; for methods without a network"""

    @property
    def settings(self) -> dict[str, Any]:
        """The estimator's settings."""
        return dict(self.model_extra or {})


Method = Annotated[MethodBlock, BeforeValidator(_settings), Or("null")]


class Published(Section):
    """Files of published results."""

    auc: list[PathText] = []
    """CSV files of AUCs, columns `ocnn.results.published.AUC_COLUMNS`"""
    data: PathText | None = None
    """CSV file of texts for Table 1, on the data"""
    networks: PathText | None = None
    """CSV file of texts for Table 2, on the networks"""
    claims: PathText | None = None
    """YAML file of claims"""
    runs: PathText | None = None
    """CSV file of the AUCs of the authors' own runs, columns `ocnn.results.published.RUN_COLUMNS`; adds to the report
    which published cells differ from them, and their spread to the verdicts on those that do not"""


class Verdicts(Section):
    """The rule by which a published cell holds, see `ocnn.results.statistics.judge_differences`."""

    margin: Annotated[Number, Field(gt=0)] = 2.0
    """points of AUC (percent) within which a mean counts as the same; the verdict is by it"""
    odds_ratio: Annotated[Number, Field(gt=1)] = 1.25
    """factor within which the odds AUC/(1 − AUC) count as the same, for a second verdict beside the first: it means the
    same at 60 % as at 99 %"""
    alpha: Annotated[Number, Field(gt=0, lt=0.5)] = 0.05
    """chance of any wrong verdict in an experiment under one evaluation, on published columns and on added rows each;
    level of a claim"""


class Config(Section):
    """The whole configuration."""

    model_config = ConfigDict(title="Configuration of ocnn", json_schema_extra={"required": ["methods", "experiments"]})

    results: Folder = "results"
    """folder of everything that is made, from where the command is given"""
    archives: Folder = "resources"
    """folder of downloaded archives"""
    mirror: PathText | None = None
    """folder to take archives from instead of downloading them; the environment variable `OCNN_MIRROR` overrides it"""
    seeds: Seeds = 1
    """how many seeds (0, 1, …), or a list of them, for experiments that do not say"""
    threads: Annotated[Count, Field(le=1024)] = 1
    """CPU threads of a fit; several jobs of one thread each are the better use of cores"""
    gpus: Annotated[Whole, Field(ge=0, le=1024)] = 0
    """GPUs that a job with a network asks a SLURM cluster for; TensorFlow or JAX with CUDA must be installed for it"""
    methods: Annotated[dict[str, Method], Field(json_schema_extra={**NAMED, "minProperties": 1})] = {}
    """rows of the tables, at least one: name → settings of its estimator"""
    datasets: dict[str, OwnData] = {}
    """data sets of your own by name, a free text: tables, or with the key `folder` pictures"""
    attacks: Annotated[dict[str, Attack], Field(json_schema_extra=NAMED)] = {}
    """boundary attacks by name"""
    experiments: Annotated[dict[str, Experiment], Field(json_schema_extra={**NAMED, "minProperties": 1})] = {}
    """experiments by name, at least one"""
    run: Names = "all"
    """names of the experiments to run, or `all`; the others are checked and left out"""
    published: Published = Published()
    """files of published results"""
    references: Annotated[dict[str, PathText], Field(json_schema_extra=NAMED)] = {}
    """AUCs of other labs: name → CSV file in the columns of `published/table3.csv`; each adds a line to Tables 3 and
    4"""
    verdicts: Verdicts = Verdicts()
    """the rule by which a published cell holds"""
    compare: Annotated[PathText, Field(examples=["before/metrics.parquet"])] | None = None
    """`metrics.parquet` of another run, of this version or one that measures the same: the report says cell by cell
    what differs from it, what is new or gone, and whether the verdicts hold"""

    def dataset(self, experiment: str) -> Dataset:
        """The data set of an experiment."""
        block = self.experiments[experiment]
        if block.attack is None:
            return self.source(str(block.dataset))
        return adversarial_dataset(self.source(self.attacks[block.attack].dataset), **self.attacked(experiment))

    def arrays_folder(self, experiment: str) -> str:
        """The folder of results with an experiment's arrays: `images` as they are fitted, or `pixels` in [0, 1]."""
        return "pixels" if self.experiments[experiment].pixels == "scaled" else "images"

    def scaling(self, experiment: str) -> str:
        """How an experiment's samples are scaled by its splits, see `scaling_constants`."""
        dataset = self.dataset(experiment)
        if not dataset.images:
            return dataset.scaling
        return "none" if self.experiments[experiment].pixels == "scaled" else PIXELS

    def attacked(self, experiment: str) -> dict[str, Any]:
        """For an experiment on an attack the arguments of `adversarial_dataset` beside the attacked data set."""
        block = self.experiments[experiment]
        attack = self.attacks[str(block.attack)]
        return {
            "attacked_class": attack.attacked_class,
            "name": f"{block.attack}-{block.steps}-{'heldout' if block.held_out else 'all'}",
            "held_out": block.held_out,
            "images": attack.images,
        }

    def source(self, dataset: str) -> Dataset:
        """The data set of a name: of one in `datasets`, a registered one, or a path.

        Raises:
            DataError: its table or folder cannot be used.
        """
        _, arguments = self.source_path(dataset)
        if arguments is None:
            return load_dataset(dataset)
        return (folder_dataset if self._is_folder(dataset) else table_dataset)(**arguments)

    def source_path(self, dataset: str) -> tuple[str, dict[str, Any] | None]:
        """Where a data set is defined, `package.module:OBJECT`, and what that is called with if it is a function."""
        if dataset in self.datasets:
            block = self.datasets[dataset].model_dump(mode="json", exclude_none=True)
            function = "folders:folder_dataset" if self._is_folder(dataset) else "tables:table_dataset"
            return f"ocnn.data.{function}", {"name": dataset, **block}
        return DATASETS.get(dataset, dataset), None

    def names_path(self, dataset: str) -> str:
        """Where the names of the samples of data of your own come from: what `source_path` has it is called with."""
        return f"ocnn.data.{'folders:picture_names' if self._is_folder(dataset) else 'tables:row_names'}"

    def _is_folder(self, dataset: str) -> bool:
        return isinstance(self.datasets.get(dataset), ImageFolder)

    def labelled(self, experiment: str) -> bool:
        """Whether it is known of an experiment's samples which are anomalies: else nothing is measured."""
        dataset = self.experiments[experiment].dataset
        return dataset not in self.datasets or self.datasets[dataset].normal != "none"

    def drawn_contamination(self, experiment: str) -> float:
        """The share of anomalies that is drawn into an experiment's training sets: none where nobody knows them."""
        return self.experiments[experiment].share if self.labelled(experiment) else 0.0

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
        return list(self.dataset(experiment).normal_classes) if chosen == "all" else chosen

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
        name = self.methods[method].estimator or method
        return METHODS.get(name, name)

    def published_methods(self) -> dict[str, str]:
        """For each row of the tables the method in the published tables to compare with."""
        return {method: block.published or method for method, block in self.methods.items()}

    def settings(self, experiment: str, method: str, seed: int) -> dict[str, Any]:
        """The estimator's parameters: the experiment's, then the method's, then the experiment's for the method."""
        shared = self.shared_settings(experiment, seed)
        estimator = load_estimator(self.estimator(method))
        declared = dict(shared_parameters(estimator))
        # Without labels the experiment's share serves the thresholds alone, and so those of all methods.
        if not self.labelled(experiment) and shared["contamination"] and "contamination" in parameters_of(estimator)[0]:
            declared["contamination"] = "contamination"
        return {
            **(usual_settings(estimator) if self.is_wrapped(method) else {}),
            **{parameter: shared[name] for parameter, name in declared.items() if name in shared},
            **self.methods[method].settings,
            **self.experiments[experiment].settings.get(method, {}),
        }

    def is_wrapped(self, method: str) -> bool:
        """Whether the estimator of a method is another package's, see `WrappedDetector`."""
        return not issubclass(load_estimator(self.estimator(method)), AnomalyDetector)

    def wrapper_settings(self, method: str, seed: int) -> dict[str, Any]:
        """The parameters of the `WrappedDetector` around the estimator of a method, the detector apart."""
        block = self.methods[method]
        return {"higher_scores": block.higher_scores, "images": block.images, "random_state": seed}

    def resources(self, method: str) -> dict[str, int]:
        """What a fit of a method asks a cluster for: `gpus`, `minutes`, `memory` (MB)."""
        network = self.trains_network(method)
        usual = {"gpus": self.gpus if network else 0, "minutes": 360 if network else 60, "memory": 4000}
        return {**usual, **self.methods[method].resources.model_dump(exclude_none=True)}

    def is_short(self, method: str) -> bool:
        """Whether a fit of a method takes so little that a cluster does several in one submission."""
        return not self.needs_network(method) and self.methods[method].resources == Resources()

    def shared_settings(self, experiment: str, seed: int) -> dict[str, Any]:
        """What a method may take from its experiment, by the names that `shared_settings` of an estimator uses.

        What the experiment does not say is left out: then each method has its own default.
        """
        values = {name: value(self.experiments[experiment], seed) for name, value in SHARED_SETTINGS.items()}
        return {name: value for name, value in values.items() if value is not None}

    def autoencoder_settings(self, experiment: str, seed: int) -> dict[str, Any]:
        """The parameters of the shared autoencoder."""
        shared = self.shared_settings(experiment, seed)
        declared = shared_parameters(load_estimator("dcae"))
        return {parameter: shared[name] for parameter, name in declared.items() if name in shared}

    def uses_autoencoder(self, experiment: str, method: str) -> bool:
        """Whether a method of an experiment starts from the shared autoencoder, or works on its codes.

        One with the file of another, its setting `autoencoder`, starts from that.
        """
        if self.on_codes(method):
            return True
        estimator = load_estimator(self.estimator(method))
        if not getattr(estimator, "uses_autoencoder", False):
            return False
        settings = self.settings(experiment, method, seed=0)
        network = settings.get("network")
        return (
            settings.get("autoencoder") is None
            and network == self.experiments[experiment].network
            and network != "none"
        )

    def on_codes(self, method: str) -> bool:
        """Whether a method works on the codes of the shared autoencoder."""
        return self.methods[method].input == "codes"

    def needs_network(self, method: str) -> bool:
        """Say whether fitting a method trains a network, or computes codes by one."""
        return self.on_codes(method) or self.trains_network(method)

    def trains_network(self, method: str) -> bool:
        """Say whether a method trains a network, which takes minutes to hours and may use a GPU."""
        return bool(getattr(load_estimator(self.estimator(method)), "trains_network", False))

    def plan(self) -> Plan:
        """What the tables, the figures and the report are to show."""
        experiments = []
        twins = {block.shuffled for block in self.experiments.values()}
        for name, block in self.experiments.items():
            dataset, labelled = self.dataset(name), self.labelled(name)
            attack = block.attack and PlannedAttack(block.attack, cast(int, block.steps), block.held_out)
            experiments.append(
                PlannedExperiment(
                    name,
                    tuple(self.normal_classes(name)),
                    tuple(self.methods_of(name)),
                    tuple(self.seeds_of(name)),
                    dataset=f"{self.arrays_folder(name)}/{safe_name(dataset.name)}",
                    images=dataset.images,
                    contaminated_and_tested=self.drawn_contamination(name) > 0 and dataset.has_test,
                    contamination=block.share,
                    family=block.family,
                    attack=attack or None,
                    published=block.published,
                    judged=block.published_evaluation(dataset.has_test) if block.judged else None,
                    remark=block.remark,
                    labelled=labelled,
                    anomaly_classes=block.anomaly_classes,
                    taken_apart=labelled and name not in twins and block.training_set.validation_split > 0,
                    shuffled=block.shuffled if block.shuffled in self.experiments else None,
                    trained=any(map(self.trains_network, self.methods_of(name))),
                )
            )
        return Plan(
            tuple(experiments),
            tuple(PlannedMethod(*names) for names in self.published_methods().items()),
            PublishedFiles(**{**dict(self.published), "auc": tuple(self.published.auc)}),
            tuple(Reference(*named) for named in self.references.items()),
            compare=self.compare,
            **dict(self.verdicts),
        )


def shared_parameters(estimator: Any) -> Mapping[str, str]:
    """The parameters of an estimator that its experiment sets: parameter → name of the shared setting.

    The estimator declares them as `shared_settings`; that `random_state` is the seed is scikit-learn's convention.
    """
    seeded = {"random_state": "seed"} if "random_state" in parameters_of(estimator)[0] else {}
    return {**seeded, **getattr(estimator, "shared_settings", {})}
