"""The checks of methods, their settings and their networks, by what the estimators themselves say."""

import sys
from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from sklearn.utils._param_validation import Hidden, Interval, validate_parameter_constraints

from ocnn.config.own_data import ImageFolder
from ocnn.config.schema import Config, shared_parameters
from ocnn.config.sections import SHARED_SETTINGS, Autoencoder, MethodBlock
from ocnn.config.sources import read_or_fault, source_of
from ocnn.config.validation import STAND_INS, Validated, nearest
from ocnn.methods import METHODS, load_estimator
from ocnn.methods.base import AnomalyDetector
from ocnn.methods.wrapped import direction_fault, parameters_of, scoring_fault
from ocnn.networks.shapes import NETWORKS, OF_IMAGES, Network, parse, resolve
from ocnn.storage.arrays import read_arrays

#: The keys of a method that say what is known of this package's own.
WRAPPED_ONLY = ("higher_scores", "images")


def method_faults(config: Config, method: str) -> list[str]:
    """What is wrong with a method's estimator, or with its settings as they stand under `methods`."""
    estimator = _estimator_or_fault(config, method)
    if isinstance(estimator, str):
        return [estimator]
    unknown = [name for name in shared_parameters(estimator).values() if name not in SHARED_SETTINGS]
    if unknown:
        return [f"methods.{method}: declares the shared setting {unknown[0]!r}{nearest(unknown[0], SHARED_SETTINGS)}"]
    block = config.methods[method]
    faults = _setting_faults(f"methods.{method}", estimator, block.settings)
    if config.is_wrapped(method):
        direction = direction_fault(estimator, block.higher_scores)
        faults += [f"methods.{method}: {estimator.__name__} {direction}"] if direction else []
    else:
        stated = [key for key in WRAPPED_ONLY if getattr(block, key) != MethodBlock.model_fields[key].default]
        faults += [f"methods.{method}.{key}: is for detectors of other packages" for key in stated]
    if config.on_codes(method) and config.trains_network(method):
        faults.append(f"methods.{method}.input: codes are for methods without a network; this one trains its own")
    return faults


def fit_faults(read: Validated, name: str, method: str) -> list[str]:
    """What is wrong with the settings that an experiment has for a method, or in which it fits it."""
    block, path = read.config.experiments[name], f"experiments.{name}"
    estimator = _estimator_or_fault(read.config, method)
    if isinstance(estimator, str) or not read.knows(("methods",), method):
        return []
    faults = _setting_faults(f"{path}.settings.{method}", estimator, block.settings.get(method, {}))
    known = read.knows(("experiments", name), "methods") and read.knows(("experiments", name, "settings"), method)
    if faults or not known or method_faults(read.config, method) or method not in read.config.methods_of(name):
        return faults
    settings = _mended(read, name).settings(name, method, seed=0)
    # What only a clean training set makes wrong is of this experiment, whoever else shares the settings.
    shared = shared_parameters(estimator).values()
    of_its_own = method in block.settings or (block.contamination == 0 and "contamination" in shared)
    of = f"{path}.settings.{method}" if of_its_own else f"methods.{method}"
    model, found = _model_or_faults(estimator, settings)
    faults += [f"{of}: {fault}" for fault in found]
    own = block.settings.get(method, {})
    paths = {key: f"{path}.settings.{method}.{key}" if key in own else f"methods.{method}.{key}" for key in settings}
    for key in dict.fromkeys([*read.config.methods[method].settings, *own]):
        if shared_parameters(estimator).get(key) == "network":
            faults += unfit_network_faults(read, name, paths[key], settings[key])
    weights = settings.get("autoencoder") if getattr(estimator, "uses_autoencoder", False) else None
    # What is not run needs no files.
    if weights is not None and (read.config.run == "all" or name in read.config.run):
        _, unusable = read_or_fault(Path(weights), read_arrays)
        faults += [f"{paths['autoencoder']}: {unusable}"] if unusable else []
    if block.holdout == 0 and getattr(model, "uses_holdout", bool)():
        faults.append(f"{path}.holdout: of 0 leaves {method} no labels to choose its settings by")
    if read.config.on_codes(method) and not has_autoencoder(block.network):
        faults.append(f"{path}.network: of the kind none gives no codes for {method} to work on")
    return faults


def _model_or_faults(estimator: Any, settings: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """The estimator made with these parameters, or None; and what is wrong with them, or with the model for its use."""
    try:
        model = estimator(**settings)
    except Exception as error:  # whatever another package's own checks raise
        return None, [f"{estimator.__name__} cannot be made with these settings ({error})"]
    try:
        if hasattr(model, "_parameter_constraints"):
            model._validate_params()
    except ValueError as error:
        return model, str(error).splitlines()
    fault = scoring_fault(model)
    return model, [fault] if fault else []


def _mended(read: Validated, name: str) -> Config:
    """The configuration with an experiment's faults mended that its methods are not to complain of once more."""
    block = read.config.experiments[name]
    updates: dict[str, Any] = {}
    if network_faults("", block.network):
        updates["network"] = "auto"
    if not phases_fit(block.autoencoder):
        updates["autoencoder"] = Autoencoder()
    if block.attack is not None and read.knows(("experiments", name), "attack", "held_out", "contamination"):
        updates["contamination"] = 0 if block.held_out else block.contamination or STAND_INS["contamination"]
    return read.config.model_copy(update={"experiments": {name: block.model_copy(update=updates)}})


def phases_fit(autoencoder: Autoencoder) -> bool:
    """Whether there are phases, and a learning rate for each."""
    return len(autoencoder.epochs) == len(autoencoder.learning_rates) > 0


def has_autoencoder(network: Any) -> bool:
    """Whether an autoencoder of this network can be trained; one that is wrong counts as if it were right."""
    try:
        parsed = parse(network)
    except ValueError:
        return True
    return parsed is None or parsed.kind != "none"


def network_faults(path: str, network: Any) -> list[str]:
    """What is wrong with a network, given by its name or by its fields."""
    names, known = ("auto", *NETWORKS), [field.name for field in fields(Network)]
    if isinstance(network, str) and network not in names:
        return [f"{path}: unknown network {network!r}{nearest(network, names)}"]
    if isinstance(network, Mapping):
        faults = [f"{path}.{key}: unknown key{nearest(key, known)}" for key in network if key not in known]
        if faults:
            return faults
    try:
        parse(network)
    except ValueError as error:
        return [f"{path}: {error}"]
    return []


def unfit_network_faults(read: Validated, name: str, path: str, network: Any) -> list[str]:
    """Say what keeps a network, which is one, from taking the samples of an experiment, as far as these are known.

    Args:
        read: the configuration.
        name: of the experiment.
        path: of the key that states the network.
        network: a name, or fields.
    """
    source, parsed = source_of(read, name), parse(network)
    if source is None or parsed is None:
        return []
    if not source.images:
        wrong = parsed.kind in OF_IMAGES
        return [f"{path}: of the kind {parsed.kind} takes images, and {source.name} holds none"] if wrong else []
    own = read.config.datasets.get(read.config.experiments[name].dataset or "")
    if isinstance(own, ImageFolder):
        height, width = (own.size, own.size) if isinstance(own.size, int) else own.size
        try:
            resolve(parsed, (height, width, own.channels))
        except ValueError as error:
            return [f"{path}: {error}"]
    return []


def _estimator_or_fault(config: Config, method: str) -> Any:
    """The estimator class of a method, or what is wrong with its name."""
    given = config.methods[method].estimator
    name = method if given is None else given
    path = f"methods.{method}" if given is None else f"methods.{method}.estimator"
    if ":" not in name and name not in METHODS:
        return f"{path}: no estimator {name!r}{nearest(name, METHODS)}"
    try:
        estimator = load_estimator(name)
    except Exception as error:  # importing a module of the user's own can raise anything
        return f"{path}: {name} cannot be imported ({error})"
    if not isinstance(estimator, type) or not (issubclass(estimator, AnomalyDetector) or hasattr(estimator, "fit")):
        return f"{path}: {name} is no class of outlier detectors, with fit and score_samples or decision_function"
    module = name.partition(":")[0] if ":" in name else estimator.__module__
    if not str(getattr(sys.modules.get(module), "__file__", None)).endswith(".py"):
        return f"{path}: {name} stands in no file of Python, of which changes could be told; import it in one of yours"
    return estimator


def _setting_faults(path: str, estimator: Any, settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with settings of an estimator, each looked at by itself."""
    (known, others), shared = parameters_of(estimator), shared_parameters(estimator)
    faults = []
    for key, value in settings.items():
        if key not in known and not others:
            faults.append(f"{path}.{key}: unknown setting{nearest(key, known)}")
        elif shared.get(key) == "seed":
            faults.append(f"{path}.{key}: is what the seeds are for; see seeds")
        elif shared.get(key) == "network":
            faults += network_faults(f"{path}.{key}", value)
        else:
            try:
                constraints = getattr(estimator, "_parameter_constraints", {})
                validate_parameter_constraints(constraints, {key: value}, estimator.__name__)
            except ValueError as error:
                faults.append(f"{path}.{key}: {error}")
            else:
                if isinstance(value, bool) and _is_number(constraints.get(key)):
                    faults.append(f"{path}.{key}: must be a number (got {value})")
    return faults


def _is_number(constraints: Any) -> bool:
    """Whether scikit-learn's constraints want a number, and not true or false, which are numbers to Python."""
    kinds = constraints if isinstance(constraints, list) else []
    numbers = [kind for kind in kinds if isinstance(kind, Interval) or kind in (Integral, Real, int, float)]
    flags = [kind for kind in kinds if isinstance(kind, Hidden) or kind in ("boolean", "verbose", bool)]
    return bool(numbers) and not flags
