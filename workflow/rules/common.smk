# The configuration, and what the rules share.
import json
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.10")

ROOT = Path(str(workflow.current_basedir)).parent.parent
sys.path.insert(0, str(ROOT))

from ocnn.config import load
from ocnn.data import load_dataset
from ocnn.data.archives import check_available
from ocnn.data.dataset import ARRAY_FILES
from ocnn.errors import ConfigError
from ocnn.fingerprint import fingerprint
from ocnn.pipeline.report import grid_fits
from ocnn.runtime import export_environment

# A configuration file on the command line replaces the default one; Snakemake itself would mix the two.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


try:
    CONFIG = load(config)
except ConfigError as error:
    raise WorkflowError(str(error))

export_environment(ROOT, CONFIG.mirror_folder())

RESULTS = CONFIG.results
#: For each experiment on an attacked class its attack; for its images' folder what they are.
ATTACKED = {name: block for name, block in CONFIG.experiments.items() if block.attack is not None}
ADVERSARIAL = {CONFIG.dataset(name).name: CONFIG.dataset_specification(name) for name in ATTACKED}
#: Where the archives of each data set are read to, and under which name the configuration has it.
PLAIN = {block.dataset for block in CONFIG.experiments.values() if block.dataset is not None}
DATASETS = {
    load_dataset(name).name: name
    for name in [*sorted(PLAIN), *sorted({CONFIG.attacks[block.attack].dataset for block in ATTACKED.values()})]
}
GRID = {
    experiment: {
        "normal": CONFIG.normal_classes(experiment),
        "method": CONFIG.methods_of(experiment),
        "seed": CONFIG.seeds_of(experiment),
    }
    for experiment in CONFIG.experiments
}

code = cache(fingerprint)


def fits(pattern):
    """The files of this pattern, one a fit."""
    return [pattern.format(**fit) for fit in grid_fits(GRID)]


def image_files(wildcards):
    """The arrays of an experiment's data set."""
    name = CONFIG.dataset(wildcards.experiment).name
    return [f"{RESULTS}/images/{name}/{file}" for file in ARRAY_FILES]


def pixel_files(wildcards):
    """The arrays of an attacked data set."""
    name = load_dataset(CONFIG.attacks[wildcards.attack].dataset).name
    return [f"{RESULTS}/pixels/{name}/{file}" for file in ARRAY_FILES]


def previous_attack(wildcards):
    """The attack that one goes on with."""
    previous = CONFIG.previous_steps(wildcards.attack, int(wildcards.steps))
    return [] if previous is None else f"{RESULTS}/attacks/{wildcards.attack}/steps-{previous}.npz"


def attack_settings(wildcards, *names):
    """What a job on an attack is told of it, as JSON."""
    block = CONFIG.attacks[wildcards.attack]
    settings = {"attacked_class": str(block.attacked_class), "widths": block.classifier.widths}
    return json.dumps({**settings, **{name: getattr(block, name) for name in names}}, sort_keys=True)


def published_datasets(attacked):
    """For each experiment of Table 3, or of Table 4 where it is attacked, the published data set to compare with."""
    return {name: b.published for name, b in CONFIG.experiments.items() if (name in ATTACKED) == attacked}


def tables_and_figures():
    """What a person reads, as far as there are experiments for it."""
    wanted = []
    if len(ATTACKED) < len(CONFIG.experiments):
        wanted += rules.table3.output
    if ATTACKED:
        wanted += rules.table4.output
        kinds = {(block.attack, block.held_out) for block in ATTACKED.values()}
        steps = {(block.attack, block.held_out, block.steps) for block in ATTACKED.values()}
        if len(steps) > len(kinds):
            wanted += rules.attack_strength.output
        wanted += [file for pattern in rules.attack_images.output for file in attacks(pattern)]
    return wanted


def attacks(pattern):
    """The files of this pattern, one an attack that an experiment uses."""
    used = dict.fromkeys((block.attack, block.steps) for block in ATTACKED.values())
    return [pattern.format(attack=attack, steps=steps) for attack, steps in used]


def archive_files(wildcards):
    """The archives of a data set, where the workflow keeps them."""
    dataset = load_dataset(DATASETS[wildcards.dataset])
    return [f"{CONFIG.archives}/{dataset.name}/{archive.name}" for archive in dataset.archives]


def missing_archives(dataset):
    """What stands in the way of making a data set's arrays, one sentence a fault."""
    source = load_dataset(DATASETS[dataset])
    kinds = ["images"] if DATASETS[dataset] in PLAIN else []
    if any(CONFIG.attacks[block.attack].dataset == DATASETS[dataset] for block in ATTACKED.values()):
        kinds.append("pixels")
    if all(Path(RESULTS, kind, dataset, file).is_file() for kind in kinds for file in ARRAY_FILES):
        return []
    needed = [a for a in source.archives if not Path(CONFIG.archives, dataset, a.name).is_file()]
    return check_available(dataset, needed, CONFIG.mirror_folder())


def autoencoder_file(wildcards):
    """The shared autoencoder, for a method that starts from it."""
    if CONFIG.uses_autoencoder(wildcards.experiment, wildcards.method):
        return rules.autoencoder.output.weights
    return []
