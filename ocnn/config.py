"""The configuration of the benchmark: its keys, types and defaults, and every check that needs no data.

`load` turns the mapping that Snakemake read into a `Config`, or raises one `ConfigError` that lists all faults.
"""

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ocnn.architectures import parse as parse_network
from ocnn.data import DATASETS, load_dataset, specified_dataset
from ocnn.data.dataset import Dataset
from ocnn.errors import ConfigError, ResultError
from ocnn.methods import METHODS, load_estimator
from ocnn.methods.base import AnomalyDetector
from ocnn.results.tables import read_published

#: In a method's settings: ν is the share of anomalies in the training set, the paper's choice.
SHARE_OF_ANOMALIES = "contamination"
#: Keys of a method that are not settings of its estimator.
OWN_KEYS = ("estimator", "published")
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_]*$"

Name = Annotated[str, Field(pattern=NAME_PATTERN)]


def _typed(value: Any) -> Any:
    """Texts that are numbers or truth values, as these: `--config` and YAML's 1e-4 arrive as text."""
    if isinstance(value, Mapping):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_typed(item) for item in value]
    if isinstance(value, str):
        if value.lower() in ("true", "false"):
            return value.lower() == "true"
        for kind in (int, float):
            try:
                return kind(value)
            except ValueError:
                continue
    return value


Settings = Annotated[dict[str, Any], BeforeValidator(_typed)]


class Section(BaseModel):
    """A part of the configuration; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Autoencoder(Section):
    """Pretraining: epochs and learning rate of each phase."""

    epochs: tuple[Annotated[int, Field(ge=0)], ...] = (250, 100)
    learning_rates: tuple[Annotated[float, Field(gt=0)], ...] = (1e-4, 1e-5)


class Training(Section):
    """What every deep method of an experiment shares."""

    batch_size: Annotated[int, Field(ge=1)] = 200
    weight_decay: Annotated[float, Field(ge=0)] = 1e-5


class Classifier(Section):
    """The classifier that is attacked.

    widths: filters of its convolutions, each followed by 2 × 2 pooling.
    epochs, learning_rate, batch_size: of its training.
    minimum_accuracy: on the test part, before an attack starts.
    seed: of its initialisation, batches and dropout.
    """

    widths: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (16, 32, 64)
    epochs: Annotated[int, Field(ge=1)] = 15
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    batch_size: Annotated[int, Field(ge=1)] = 128
    minimum_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.9
    seed: Annotated[int, Field(ge=0)] = 0


class Attack(Section):
    """A boundary attack on test images of one class.

    dataset, attacked_class: whose images are attacked.
    images: how many.
    segment: steps that a job makes, and an interruption can lose at most; the attack adapts its step sizes by the
        outcomes of up to 1,000 steps within a segment, so that fewer would stop it from adapting.
    seed: decides which images are attacked, and the attack's random directions.
    """

    dataset: str
    attacked_class: str | int
    images: Annotated[int, Field(ge=1)] = 100
    segment: Annotated[int, Field(ge=1000)] = 1000
    seed: Annotated[int, Field(ge=0)] = 0
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
    network: name in `ocnn.architectures.NETWORKS`, the fields of a `Network`, or `auto`.
    methods: names from the configuration's `methods`, or `all`.
    settings: for a method's name, settings that override those in `methods`.
    published: the `dataset` of the published rows to compare with.
    """

    dataset: str | None = None
    attack: str | None = None
    steps: Annotated[int, Field(ge=0)] | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None = None
    held_out: bool = True
    normal_classes: Literal["all"] | Annotated[list[str | int], Field(min_length=1)] = "all"
    contamination: Annotated[float, Field(ge=0, lt=1)]
    holdout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    seeds: int | list[int] | None = None
    network: Annotated[str | dict[str, Any], BeforeValidator(_typed)] = "auto"
    training: Training = Training()
    autoencoder: Autoencoder = Autoencoder()
    methods: Literal["all"] | Annotated[list[str], Field(min_length=1)] = "all"
    settings: dict[str, Settings] = {}
    published: str | None = None


class Config(Section):
    """The whole configuration.

    results, archives: folders for what the workflow makes, and for downloaded archives.
    mirror: folder to take archives from instead of downloading; the environment variable OCNN_MIRROR overrides it.
    seeds: how many (0, 1, …), or which, for experiments that do not say.
    threads: CPU threads of a fit.
    methods: rows of the tables: a name, and the estimator's settings; `estimator` names it if the row's name is not its
        own: a name in `ocnn.methods.METHODS` or `package.module:Class`; `published` names the published column to
        compare with if that has another name.
    attacks: boundary attacks, by name.
    experiments: by name.
    run: names of the experiments to run, or `all`; the others are checked and left out.
    published: CSV files of published results.
    """

    results: str = "results"
    archives: str = "resources"
    mirror: str | None = None
    seeds: int | list[int] = 1
    threads: Annotated[int, Field(ge=1)] = 1
    methods: Annotated[dict[Name, Settings | None], Field(min_length=1)]
    attacks: dict[Name, Attack] = {}
    experiments: Annotated[dict[Name, Experiment], Field(min_length=1)]
    run: Literal["all"] | Annotated[list[str], Field(min_length=1)] = "all"
    published: list[str] = []

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
        name = str((self.methods[method] or {}).get("estimator", method))
        return METHODS.get(name, name)

    def published_methods(self) -> dict[str, str]:
        """For each row of the tables the method in the published tables to compare with."""
        return {method: str((settings or {}).get("published", method)) for method, settings in self.methods.items()}

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


def load(content: Mapping[str, Any]) -> Config:
    """Checks the whole configuration.

    Raises:
        ConfigError: lists every fault, one a line, with its key's path and, for a name, the nearest valid one.
    """
    try:
        config = Config.model_validate(dict(content))
    except ValidationError as error:
        raise ConfigError(_listing([_describe(fault) for fault in error.errors()])) from error
    faults = [
        *_method_faults(config),
        *(fault for name in config.attacks for fault in _attack_faults(config, name)),
        *(fault for name in config.experiments for fault in _experiment_faults(config, name)),
        *(
            f"run: no experiment {name!r}{_nearest(name, config.experiments)}"
            for name in (config.run if config.run != "all" else [])
            if name not in config.experiments
        ),
        *(f"published: there is no file {path}" for path in config.published if not Path(path).is_file()),
    ]
    if not faults:
        faults = _published_faults(config)
        faults += [fault for name in config.experiments for fault in _settings_faults(config, name)]
    if faults:
        raise ConfigError(_listing(faults))
    chosen = config.experiments if config.run == "all" else {name: config.experiments[name] for name in config.run}
    return config.model_copy(update={"experiments": _families_resolved(chosen)})


def _families_resolved(experiments: Mapping[str, Experiment]) -> dict[str, Experiment]:
    """The experiments, one with a list of `steps` as one for each of them."""
    resolved: dict[str, Experiment] = {}
    for name, block in experiments.items():
        if isinstance(block.steps, list):
            resolved |= {f"{name}_{steps}": block.model_copy(update={"steps": steps}) for steps in block.steps}
        else:
            resolved[name] = block
    return resolved


def _listing(faults: Sequence[str]) -> str:
    return "The configuration cannot be used:\n" + "\n".join(f"  {fault}" for fault in dict.fromkeys(faults))


def _describe(fault: Any) -> str:
    path = ".".join(str(part) for part in fault["loc"] if part != "[key]")
    if fault["type"] == "extra_forbidden":
        parents = [str(part) for part in fault["loc"][:-1]]
        model: type[Section] = Config
        if parents[:1] == ["attacks"]:
            model = Classifier if parents[-1] == "classifier" else Attack
        if parents[:1] == ["experiments"]:
            parts: dict[str, type[Section]] = {"training": Training, "autoencoder": Autoencoder}
            model = parts.get(parents[-1], Experiment)
        return f"{path}: unknown key{_nearest(str(fault['loc'][-1]), model.model_fields)}"
    return f"{path}: {fault['msg'][0].lower()}{fault['msg'][1:]} (got {fault['input']!r})"


def _nearest(name: str, known: Any) -> str:
    known = [str(item) for item in known]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _seed_faults(path: str, seeds: int | list[int] | None) -> list[str]:
    if seeds is None:
        return []
    if isinstance(seeds, int):
        return [] if seeds >= 1 else [f"{path}: at least one seed is needed (got {seeds})"]
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        return [f"{path}: seeds must be different whole numbers ≥ 0, at least one (got {seeds})"]
    return []


def _method_faults(config: Config) -> list[str]:
    faults = _seed_faults("seeds", config.seeds)
    for method, settings in config.methods.items():
        given = (settings or {}).get("estimator")
        name = method if given is None else str(given)
        path = f"methods.{method}" if given is None else f"methods.{method}.estimator"
        if ":" in name:
            try:
                estimator = load_estimator(name)
            except (ImportError, AttributeError) as error:
                faults.append(f"{path}: {name} cannot be imported ({error})")
            else:
                if not (isinstance(estimator, type) and issubclass(estimator, AnomalyDetector)):
                    faults.append(f"{path}: {name} is not a subclass of ocnn.methods.base.AnomalyDetector")
        elif name not in METHODS:
            faults.append(f"{path}: no estimator {name!r}{_nearest(name, METHODS)}")
    return faults


def _dataset_or_fault(path: str, name: str) -> Dataset | str:
    try:
        return load_dataset(name)
    except KeyError:
        return f"{path}: no data set {name!r}{_nearest(name, DATASETS)}"
    except (ImportError, AttributeError, AssertionError) as error:
        return f"{path}: {name} cannot be imported ({error})"


def _attack_faults(config: Config, name: str) -> list[str]:
    block, path = config.attacks[name], f"attacks.{name}"
    dataset = _dataset_or_fault(f"{path}.dataset", block.dataset)
    if isinstance(dataset, str):
        return [dataset]
    if not dataset.images:
        return [f"{path}.dataset: {dataset.name} holds no images"]
    attacked = str(block.attacked_class)
    if attacked not in dataset.classes:
        return [f"{path}.attacked_class: {dataset.name} has no class {attacked!r}{_nearest(attacked, dataset.classes)}"]
    return []


def _source_faults(config: Config, name: str) -> list[str]:
    """What is wrong with where an experiment's samples come from."""
    block, path = config.experiments[name], f"experiments.{name}"
    if (block.dataset is None) == (block.attack is None):
        return [f"{path}: one of dataset and attack is needed, and not both"]
    if block.dataset is not None:
        unused = [key for key in ("steps", "held_out") if key in block.model_fields_set]
        if unused:
            return [f"{path}.{key}: is for an experiment with an attack" for key in unused]
        dataset = _dataset_or_fault(f"{path}.dataset", block.dataset)
        if isinstance(dataset, str):
            return [dataset]
        classes, of = dataset.normal_classes, dataset.name
    else:
        faults = []
        if block.attack not in config.attacks:
            return [f"{path}.attack: no attack {block.attack!r}{_nearest(str(block.attack), config.attacks)}"]
        if block.steps is None:
            faults.append(f"{path}.steps: an attack needs a number of steps")
        elif isinstance(block.steps, list):
            if len(set(block.steps)) < len(block.steps):
                faults.append(f"{path}.steps: a number is listed twice (got {block.steps})")
            taken = [f"{name}_{steps}" for steps in block.steps if f"{name}_{steps}" in config.experiments]
            faults += [f"{path}.steps: makes the experiment {other}, which there is already" for other in taken]
        if block.held_out and block.contamination > 0:
            faults.append(f"{path}.contamination: must be 0, as all adversarial images are held out")
        if not block.held_out and block.contamination == 0:
            faults.append(f"{path}.contamination: of 0 leaves no adversarial image to score")
        if faults:
            return faults
        classes, of = (str(config.attacks[str(block.attack)].attacked_class),), str(block.attack)
    if block.normal_classes == "all":
        return []
    chosen = [str(normal) for normal in block.normal_classes]
    faults = [
        f"{path}.normal_classes: {of} has no normal class {normal!r}{_nearest(normal, classes)}"
        for normal in chosen
        if normal not in classes
    ]
    if len(set(chosen)) < len(chosen):
        faults.append(f"{path}.normal_classes: a class is listed twice (got {chosen})")
    return faults


def _experiment_faults(config: Config, name: str) -> list[str]:
    block, path = config.experiments[name], f"experiments.{name}"
    faults = _seed_faults(f"{path}.seeds", block.seeds) + _source_faults(config, name)
    if block.methods != "all":
        faults += [
            f"{path}.methods: no method {method!r}{_nearest(method, config.methods)}"
            for method in block.methods
            if method not in config.methods
        ]
    faults += [
        f"{path}.settings: no method {method!r}{_nearest(method, config.methods)}"
        for method in block.settings
        if method not in config.methods
    ]
    try:
        parse_network(block.network)
    except (ValueError, TypeError) as error:
        faults.append(f"{path}.network: {error}")
    epochs, rates = block.autoencoder.epochs, block.autoencoder.learning_rates
    if not len(epochs) == len(rates) > 0:
        faults.append(f"{path}.autoencoder: as many learning_rates as epochs are needed (got {rates} and {epochs})")
    return faults


def _published_faults(config: Config) -> list[str]:
    """Names that are to be found in the published tables and are not."""
    try:
        published = read_published(Path(path) for path in config.published)
    except ResultError as error:
        return [f"published: {error}"]
    named = [
        *(
            (f"methods.{row}.published", (config.methods[row] or {}).get("published"), "method")
            for row in config.methods
        ),
        *((f"experiments.{name}.published", block.published, "dataset") for name, block in config.experiments.items()),
    ]
    return [
        f"{path}: no published {column} {name!r}{_nearest(name, dict.fromkeys(published[column]))}"
        for path, name, column in named
        if name is not None and name not in set(published[column])
    ]


def _settings_faults(config: Config, name: str) -> list[str]:
    """What the estimators themselves say of their settings; asked once the names are known to be right."""
    faults = []
    for method in config.methods_of(name):
        estimator = load_estimator(config.estimator(method))
        settings = config.settings(name, method, seed=0)
        own = config.experiments[name].settings.get(method, {})
        known = estimator().get_params()
        unknown = [key for key in settings if key not in known]
        for key in unknown:
            path = f"experiments.{name}.settings.{method}" if key in own else f"methods.{method}"
            faults.append(f"{path}.{key}: unknown setting{_nearest(key, known)}")
        if not unknown:
            try:
                estimator(**settings)._validate_params()
            except ValueError as error:
                text = str(error)
                if settings.get("nu") == 0:
                    text += " With a contamination of 0, give nu a number."
                faults.append(f"experiments.{name}, method {method}: {text}")
    return faults
