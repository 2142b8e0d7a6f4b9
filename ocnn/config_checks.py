"""Every check of the configuration that needs no data: all faults at once, before any job."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ocnn.architectures import parse as parse_network
from ocnn.config import Attack, Autoencoder, Classifier, Config, Experiment, Published, Section, Training, Verdicts
from ocnn.data import DATASETS, load_dataset
from ocnn.data.dataset import Dataset
from ocnn.errors import ConfigError, ResultError
from ocnn.methods import METHODS, load_estimator
from ocnn.methods.base import AnomalyDetector
from ocnn.results.metrics import EVALUATIONS
from ocnn.results.published import claimed_methods, read_claims, read_published, read_texts

#: Other labs' results cannot have these names, which the tables use.
RESERVED_REFERENCES = (*EVALUATIONS, "published")


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
        *(f"{key}: there is no file {path}" for key, path in _files(config) if not Path(path).is_file()),
    ]
    if not faults:
        faults = _published_faults(config)
        faults += [fault for name in config.experiments for fault in _settings_faults(config, name)]
    if faults:
        raise ConfigError(_listing(faults))
    chosen = config.experiments if config.run == "all" else {name: config.experiments[name] for name in config.run}
    return config.model_copy(update={"experiments": _families_resolved(chosen)})


def _files(config: Config) -> list[tuple[str, str]]:
    """The keys that name files of published results, and the files."""
    published = config.published
    singles = {"data": published.data, "networks": published.networks, "claims": published.claims}
    return [
        *(("published.auc", path) for path in published.auc),
        *((f"published.{key}", path) for key, path in singles.items() if path is not None),
        *((f"references.{name}", path) for name, path in config.references.items()),
    ]


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
        if parents[:1] in (["published"], ["verdicts"]):
            model = Published if parents[0] == "published" else Verdicts
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
    """Files of published results that cannot be read, and names that are to be found in them and are not."""
    try:
        published = read_published(Path(path) for path in config.published.auc)
        claims = read_claims(Path(config.published.claims) if config.published.claims else None)
        for path in (config.published.data, config.published.networks):
            read_texts(Path(path) if path else None)
    except ResultError as error:
        return [f"published: {error}"]
    faults = []
    for name, path in config.references.items():
        try:
            read_published([Path(path)])
        except ResultError as error:
            faults.append(f"references.{name}: {error}")
        if name in RESERVED_REFERENCES:
            faults.append(f"references.{name}: is a column of the tables already; choose another name")
    datasets = list(dict.fromkeys([*published["dataset"], *(claim.dataset for claim in claims)]))
    methods = list(dict.fromkeys(published["method"]))
    named = [
        *((f"methods.{row}.published", (config.methods[row] or {}).get("published")) for row in config.methods),
        *((f"claim {claim.name}", method) for claim in claims for method in claimed_methods(claim) if methods),
    ]
    faults += [
        f"{path}: no published method {name!r}{_nearest(name, methods)}"
        for path, name in named
        if name is not None and name not in methods
    ]
    return faults + [
        f"experiments.{name}.published: no published dataset {block.published!r}{_nearest(block.published, datasets)}"
        for name, block in config.experiments.items()
        if block.published is not None and block.published not in datasets
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
