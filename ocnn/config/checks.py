"""Every check of the configuration that needs no data: all faults at once, before any job.

A check is left out where what it asks about is unknown because of another fault.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from ocnn.config.estimators import fit_faults, method_faults, network_faults, phases_fit, unfit_network_faults
from ocnn.config.published import published_faults, with_published
from ocnn.config.schema import Config
from ocnn.config.sections import Experiment
from ocnn.config.sources import dataset_or_fault, located, source_of
from ocnn.config.validation import Validated, nearest, repeated_keys, validate
from ocnn.config.values import NAME_TEXT
from ocnn.data import DATASETS
from ocnn.data.adversarial import ADVERSARIAL
from ocnn.data.dataset import Dataset
from ocnn.data.splits import TrainingSet as DrawnSet
from ocnn.data.splits import size_faults
from ocnn.errors import ConfigError

#: Snakemake plans some hundreds of jobs a second, and holds them all in memory.
MOST_FITS = 100_000

#: What an experiment and its shuffled one may have each; of methods the latter may have fewer.
TWIN_FREE = ("shuffled", "methods", "published", "judged", "remark")


def load(content: Any, files: Iterable[Path | str] = (), root: Path | None = None) -> Config:
    """Check the whole configuration.

    Args:
        content: the mapping that the configuration files hold together.
        files: these files, to be looked at for keys that stand twice, of which a reader of YAML takes the last.
        root: folder of the workflow, whose files of published results are taken where there are none of that path.

    Raises:
        ConfigError: lists every fault, one a line, with its key's path and, for a name, the nearest valid one.
    """
    paths = [Path(file) for file in files]
    read = _without_holdout(with_published(located(validate(content), paths), root))
    config = read.config
    faults = [
        *(fault for file in paths for fault in repeated_keys(file)),
        *read.faults,
        *_name_faults(read),
        *_folder_faults(config),
        *(fault for method in config.methods for fault in method_faults(config, method)),
        *(fault for name in config.datasets for fault in _own_data_faults(read, name)),
        *(fault for name in config.attacks for fault in _attack_faults(read, name)),
        *(fault for name in config.experiments for fault in _contaminations_faults(read, name)),
        *(fault for name in config.experiments for one in _each(read, name) for fault in _experiment_faults(one, name)),
        *_shared_folder_faults(read),
        *published_faults(read),
    ]
    if faults:
        listing = "\n".join(f"  {' '.join(fault.split())}" for fault in dict.fromkeys(faults))
        raise ConfigError(f"The configuration cannot be used:\n{listing}")
    chosen = config.experiments if config.run == "all" else {name: config.experiments[name] for name in config.run}
    config = config.model_copy(update={"experiments": _families_resolved(chosen)})
    fits = sum(
        len(config.normal_classes(name)) * len(config.methods_of(name)) * len(config.seeds_of(name))
        for name in config.experiments
    )
    if fits > MOST_FITS:
        raise ConfigError(
            f"The configuration asks for {fits:,} fits; more than {MOST_FITS:,} cannot be planned at once. Choose fewer"
            f" seeds, or a part of the experiments by `run`."
        )
    return config


def _families_resolved(experiments: Mapping[str, Experiment]) -> dict[str, Experiment]:
    """The experiments, one with a list of `steps` or of `contamination` as one for each of them."""
    resolved: dict[str, Experiment] = {}
    for name, block in experiments.items():
        if isinstance(block.steps, list):
            resolved |= {f"{name}_{steps}": block.model_copy(update={"steps": steps}) for steps in block.steps}
        elif isinstance(block.contamination, list):
            resolved |= {_member(name, share): block.member(name, share) for share in block.contamination}
        else:
            resolved[name] = block
    return resolved


def _member(name: str, share: float) -> str:
    """The name of a block's experiment of this contamination: `NAME_0`, `NAME_1_101`."""
    fraction = Fraction(share).limit_denominator(1_000_000)
    return f"{name}_{fraction.numerator}_{fraction.denominator}" if share else f"{name}_0"


def _each(read: Validated, name: str) -> Iterator[Validated]:
    """The configuration with an experiment of one contamination, for each in a list; in a wrong list it is unknown."""
    block = read.config.experiments[name]
    if not isinstance(block.contamination, list):
        yield read
        return
    wrong = bool(_contaminations_faults(read, name))
    for share in block.contamination[:1] if wrong else block.contamination:
        experiments = {**read.config.experiments, name: block.member(name, share)}
        refused = {*read.refused, *([("experiments", name, "contamination")] if wrong else [])}
        yield Validated(read.config.model_copy(update={"experiments": experiments}), read.faults, refused)


def _name_faults(read: Validated) -> list[str]:
    """Names of blocks that cannot be names, blocks that are missing, and names in `run` without a block."""
    config = read.config
    blocks = {key: getattr(config, key) for key in ("methods", "attacks", "experiments", "references")}
    faults = [
        f"{key}: at least one is needed"
        for key in ("methods", "experiments")
        if not blocks[key] and read.knows((), key)
    ]
    faults += [
        f"{key}.{name}: a name is made of letters, digits and underscores, and the first is no underscore; at most 100"
        for key, block in blocks.items()
        for name in block
        if not re.fullmatch(NAME_TEXT, name)
    ]
    return faults + _unknown_names("run", "experiment", config.run, config.experiments)


def _unknown_names(path: str, kind: str, names: str | Sequence[str], known: Mapping[str, Any]) -> list[str]:
    """Names (or `all`) that are not among the known ones; of no known one there is nothing to say."""
    if names == "all" or not known:
        return []
    return [f"{path}: no {kind} {name!r}{nearest(name, known)}" for name in names if name not in known]


def _folder_faults(config: Config) -> list[str]:
    """Folders that lie within each other, where what makes or removes one's files meets the other's."""
    results, archives = Path(config.results).resolve(), Path(config.archives).resolve()
    faults = []
    if results.is_relative_to(archives) or archives.is_relative_to(results):
        faults.append(f"archives: {config.archives} and results, {config.results}, must not lie within each other")
    mirror = config.mirror_folder()
    if mirror is not None and archives == mirror.resolve():
        faults.append(f"mirror: {mirror} is the folder that the archives are copied to; name another one")
    return faults


def _without_holdout(read: Validated) -> Validated:
    """The configuration with a holdout of 0 in experiments whose samples have no labels to be held out."""
    config = read.config
    experiments = {
        name: block
        if config.labelled(name) or "holdout" in block.model_fields_set
        else block.model_copy(update={"holdout": 0.0})
        for name, block in config.experiments.items()
    }
    return replace(read, config=config.model_copy(update={"experiments": experiments}))


def _own_data_faults(read: Validated, name: str) -> list[str]:
    """What is wrong with a table or a folder of pictures, or with its name."""
    path = f"datasets.{name}"
    if name in DATASETS:
        return [f"{path}: a data set of the project is called so; choose another name"]
    if ":" in name:
        return [f"{path}: a name with a colon is the path of a data set; choose another name"]
    found = dataset_or_fault(read, path, name)
    return [found] if isinstance(found, str) else []


def _attack_faults(read: Validated, name: str) -> list[str]:
    block, path = read.config.attacks[name], f"attacks.{name}"
    if not read.knows(("attacks", name), "dataset"):
        return []
    dataset = dataset_or_fault(read, f"{path}.dataset", block.dataset)
    if isinstance(dataset, str):
        return [dataset]
    if dataset is None:
        return []
    if not dataset.images:
        return [f"{path}.dataset: {dataset.name} holds no images"]
    if dataset.name in read.config.datasets and read.config.datasets[dataset.name].normal == "none":
        return [f"{path}.dataset: {dataset.name} has no labels, by which a classifier could be trained"]
    if not read.knows(("attacks", name), "attacked_class"):
        return []
    attacked = block.attacked_class
    if attacked == ADVERSARIAL:
        return [f"{path}.attacked_class: a class {attacked!r} cannot be attacked: so the attacked images are called"]
    if attacked not in dataset.classes:
        return [f"{path}.attacked_class: {dataset.name} has no class {attacked!r}{nearest(attacked, dataset.classes)}"]
    if (
        attacked in dataset.sizes
        and block.images > dataset.sizes[attacked][1]
        and read.knows(("attacks", name), "images")
    ):
        return [
            f"{path}.images: {block.images} are to be attacked, but class {attacked!r} of {dataset.name} has"
            f" {dataset.sizes[attacked][1]} test images"
        ]
    return []


def _experiment_faults(read: Validated, name: str) -> list[str]:
    config, block, path = read.config, read.config.experiments[name], f"experiments.{name}"
    faults = [
        *_source_faults(read, name),
        *_class_faults(read, name),
        *(network_faults(f"{path}.network", block.network) or _unfit_network(read, name)),
        *_unknown_names(f"{path}.methods", "method", block.methods, config.methods),
        *_unknown_names(f"{path}.shuffled", "experiment", [block.shuffled or name], config.experiments),
        *_twin_faults(config, name),
        *_unknown_names(f"{path}.settings", "method", list(block.settings), config.methods),
    ]
    if block.anomaly_classes and (block.attack is not None or not config.labelled(name)):
        faults.append(f"{path}.anomaly_classes: here no classes of anomalies are known; leave it out")
    if not config.labelled(name) and block.holdout > 0:
        faults.append(f"{path}.holdout: must be 0, as {block.dataset} has no labels")
    if block.attack is not None and block.pixels == "scaled":
        faults.append(f"{path}.pixels: the images of an attack are contrast-normalised; leave it out")
    if not phases_fit(block.autoencoder) and read.knows(("experiments", name), "autoencoder"):
        epochs, rates = block.autoencoder.epochs, block.autoencoder.learning_rates
        faults.append(f"{path}.autoencoder: as many learning_rates as epochs are needed (got {rates} and {epochs})")
    return [*faults, *(fault for method in config.methods for fault in fit_faults(read, name, method))]


def _twin_faults(config: Config, name: str) -> list[str]:
    """What else an experiment and its shuffled one differ in, which the table would take for the order's effect."""
    block, path = config.experiments[name], f"experiments.{name}.shuffled"
    twin = config.experiments.get(block.shuffled or "")
    if twin is None:
        return []
    if block.training_set.order == "shuffled":
        return [f"{path}: the set of {name} is shuffled itself"]
    if twin.training_set.order != "shuffled":
        return [f"{path}: the set of {block.shuffled} is not shuffled; give it `order: shuffled`"]
    if not block.training_set.validation_split:
        return [f"{path}: has no effect without `validation_split`, by which the end of the set is not fitted"]
    if isinstance(block.contamination, list) or isinstance(twin.contamination, list):
        return [f"{path}: is for one contamination, not for a list"]
    if not block.contamination:
        return [f"{path}: has no effect on a set without anomalies; give a contamination above 0"]
    if twin.shuffled is not None:
        return [f"{path}: {block.shuffled} names another by `shuffled` itself; leave that out"]
    alike = twin.model_copy(
        update={"training_set": twin.training_set.model_copy(update={"order": block.training_set.order})}
    )
    found = [field for field in type(block).model_fields if field not in TWIN_FREE]
    found = [field for field in found if getattr(alike, field) != getattr(block, field)]
    more = [method for method in config.methods_of(block.shuffled or "") if method not in config.methods_of(name)]
    if found or more:
        differing = ", ".join([*found, *(["methods"] if more else [])])
        return [f"{path}: {block.shuffled} must differ from {name} by the order alone, and differs by {differing}, too"]
    return []


def _unfit_network(read: Validated, name: str) -> list[str]:
    """What keeps the network of an experiment, which is one, from taking its samples, as far as these are known."""
    config, block = read.config, read.config.experiments[name]
    known = read.knows(("experiments", name), "network", "methods")
    if not known or not any(_needs_network(config, method) for method in config.methods_of(name)):
        return []
    return unfit_network_faults(read, name, f"experiments.{name}.network", block.network)


def _needs_network(config: Config, method: str) -> bool:
    """Whether a method, if it is one, trains a network or is fitted to the codes of one."""
    known = method in config.methods and not method_faults(config, method)
    return known and (config.trains_network(method) or config.on_codes(method))


def _contaminations_faults(read: Validated, name: str) -> list[str]:
    """What is wrong with a list of contaminations as such; what is with one of them, the experiment's checks say."""
    config, block, path = read.config, read.config.experiments[name], f"experiments.{name}.contamination"
    if not isinstance(block.contamination, list):
        return []
    source = source_of(read, name) if block.attack is None else None
    joined = block.training_set.test_normals != "none"
    if block.attack is not None or joined or (source is not None and not source.has_test):
        return [f"{path}: a list is for a test part of its own, on which all of its experiments are scored"]
    if not config.labelled(name):
        return [f"{path}: a list is for anomalies that are drawn, and {block.dataset} has no labels"]
    names: dict[str, float] = {}
    faults = []
    for share in block.contamination:
        member = _member(name, share)
        if member in config.experiments:
            faults.append(f"{path}: makes the experiment {member}, which there is already")
        elif member in names:
            faults.append(f"{path}: {names[member]:.10g} and {share:.10g} both make the experiment {member}")
        names[member] = share
    return faults


def _source_faults(read: Validated, name: str) -> list[str]:
    """What is wrong with where an experiment's samples come from."""
    config, block, path = read.config, read.config.experiments[name], f"experiments.{name}"
    if not read.knows(("experiments", name), "dataset", "attack"):
        return []
    if (block.dataset is None) == (block.attack is None):
        return [f"{path}: one of dataset and attack is needed, and not both"]
    if block.dataset is not None:
        # A default may be written out, as a validator that fills in a schema's defaults does.
        unused = [key for key in ("steps", "held_out") if getattr(block, key) != Experiment.model_fields[key].default]
        faults = [f"{path}.{key}: is for an experiment with an attack" for key in unused]
        dataset = dataset_or_fault(read, f"{path}.dataset", block.dataset)
        return [*faults, dataset] if isinstance(dataset, str) else faults
    faults = []
    if block.attack not in config.attacks and ("attacks",) not in read.refused:
        faults.append(f"{path}.attack: no attack {block.attack!r}{nearest(block.attack, config.attacks)}")
    if block.steps is None and read.knows(("experiments", name), "steps"):
        faults.append(f"{path}.steps: an attack needs a number of steps")
    if isinstance(block.steps, list):
        taken = [f"{name}_{steps}" for steps in block.steps if f"{name}_{steps}" in config.experiments]
        faults += [f"{path}.steps: makes the experiment {other}, which there is already" for other in taken]
    if read.knows(("experiments", name), "held_out", "contamination"):
        if block.held_out and block.share > 0:
            faults.append(f"{path}.contamination: must be 0, as all adversarial images are held out")
        if not block.held_out and block.share == 0:
            faults.append(f"{path}.contamination: of 0 leaves no adversarial image to score")
    return faults


def _class_faults(read: Validated, name: str) -> list[str]:
    """Normal classes that there are not, or that are too small for what is drawn from them."""
    config, block, path = read.config, read.config.experiments[name], f"experiments.{name}"
    source = source_of(read, name)
    if source is None or not read.knows(("experiments", name), "normal_classes"):
        return []
    chosen = config.normal_classes(name)
    owner = source.name if block.attack is None else block.attack
    scaled = block.pixels == "scaled"
    faults = [f"{path}.pixels: {source.name} holds no images"] if scaled and not source.images else []
    faults += [
        f"{path}.normal_classes: {owner} has no normal class {normal!r}{nearest(normal, source.normal_classes)}"
        for normal in chosen
        if normal not in source.normal_classes
    ]
    known = read.knows(("experiments", name), "contamination", "holdout", "held_out", "training_set")
    if block.attack is not None:
        known = known and read.knows(("attacks", block.attack), "images")
    if known and set(source.sizes) == set(source.classes):
        # With adversarial images held out there must be none, which is said elsewhere.
        held_out = block.attack is not None and block.held_out
        contamination = 0 if held_out else config.drawn_contamination(name)
        drawn = DrawnSet(**block.training_set.model_dump())
        for normal in (normal for normal in chosen if normal in source.normal_classes):
            found = size_faults(
                source.sizes, normal, contamination=contamination, holdout=block.holdout, training_set=drawn
            )
            faults += [f"{path}.{'normal_classes' if key == 'normal' else key}: {found[key]}" for key in found]
    return faults


def _shared_folder_faults(read: Validated) -> list[str]:
    """Data sets of one name: their arrays would have one folder, and the second would be given the first's."""
    faults: list[str] = []
    seen: dict[str, tuple[str, Dataset]] = {}
    places = [
        *((f"experiments.{name}.dataset", block.dataset) for name, block in read.config.experiments.items()),
        *((f"attacks.{name}.dataset", block.dataset) for name, block in read.config.attacks.items()),
    ]
    for path, name in places:
        dataset = dataset_or_fault(read, "", name or "")
        if not isinstance(dataset, Dataset):
            continue
        first, other = seen.setdefault(dataset.name, (path, dataset))
        if dataset != other:
            faults.append(f"{path}: {name} has the name {dataset.name!r}, as that of {first} has; rename one of them")
    resolved = read.config.model_copy(update={"experiments": _families_resolved(read.config.experiments)})
    for name, block in resolved.experiments.items():
        if block.attack in resolved.attacks:
            images = resolved.attacked(name)["name"]
            if images in seen:
                faults.append(f"experiments.{name}.attack: its images are called {images!r}, as {seen[images][0]} is")
    return faults
