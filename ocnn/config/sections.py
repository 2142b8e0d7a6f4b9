"""The sections of the configuration: their keys, types, defaults and meaning, see `ocnn.config.schema`."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr

from ocnn.config.values import (
    NAME_TEXT,
    AttackSteps,
    ClassName,
    ClassNames,
    Contamination,
    Count,
    Epochs,
    Flag,
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
