# The configuration, and what the rules share.
import json
import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.settings.types import ExecMode
from snakemake.utils import min_version

min_version("9.10")

ROOT = Path(str(workflow.current_basedir)).parent.parent
sys.path.insert(0, str(ROOT))

from ocnn.config.checks import load
from ocnn.data import load_dataset
from ocnn.data.archives import check_available, checksum_file
from ocnn.data.dataset import ARRAY_FILES
from ocnn.errors import ConfigError
from ocnn.storage.places import little_space, remove_leftovers, why_not_writable
from ocnn.steps.fingerprint import fingerprint
from ocnn.config.plan import (
    comparison_names,
    figure_files,
    grid_fits,
    published_files,
    sample_names,
    table_files,
    unordered,
)
from ocnn.results.scores import find_damage
from ocnn.steps.runtime import export_environment

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
PLAN = CONFIG.plan()
#: What of it is compared with the last run's: keys in another order make nothing anew.
UNORDERED = unordered(PLAN, [name for name, block in CONFIG.experiments.items() if block.methods == "all"])
CONFIGURATION = CONFIG.model_dump(mode="json", exclude_defaults=True)
#: Of the report and of tables as pages; a change of these makes them anew, but a move of the whole folder does not.
TEMPLATES = sorted(os.path.relpath(path) for path in (ROOT / "ocnn" / "report" / "templates").iterdir())
CAPTIONS = sorted(os.path.relpath(path) for path in (ROOT / "workflow" / "report").glob("*.rst"))

code = cache(fingerprint)
uses_autoencoder = cache(CONFIG.uses_autoencoder)


def fits(pattern):
    """The files of this pattern, one a fit."""
    return [pattern.format(**fit) for fit in grid_fits(PLAN["experiments"])]


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


def first_fits():
    """The fits of the first seed of each experiment."""
    first = {name: {**block, "seed": block["seed"][:1]} for name, block in PLAN["experiments"].items()}
    return grid_fits(first)


def first_splits():
    """The splits of the first seed."""
    return list(dict.fromkeys(rules.split.output[0].format(**fit) for fit in first_fits()))


def first_scores():
    """The score files of the first seed."""
    return [rules.fit.output[0].format(**fit) for fit in first_fits()]


def all_images():
    """The arrays of every experiment."""
    folders = dict.fromkeys(block["dataset"] for block in PLAN["experiments"].values())
    return [f"{RESULTS}/images/{folder}/{file}" for folder in folders for file in ARRAY_FILES]


def training_images():
    """The training arrays of every experiment."""
    return [file for file in all_images() if Path(file).name == "train.npy"]


def all_archives():
    """Every archive that something is read from."""
    return [file for name in DATASETS.values() for file in kept_archives(load_dataset(name))]


def kept_archives(dataset):
    """Where the workflow keeps the archives of a data set."""
    return [f"{CONFIG.archives}/{dataset.name}/{archive.name}" for archive in dataset.archives]


def auc_tables():
    """Tables 3 and 4 for programs, as far as there are experiments for them."""
    names = [name for name in ("table3", "table4") if name in table_files(PLAN)]
    return [f"{RESULTS}/tables/{name}.csv" for name in names]


def in_report(path, name, category):
    """An output with its place and caption in Snakemake's own report."""
    caption = str(ROOT / "workflow" / "report" / f"{name}.rst")
    return report(path, caption=caption, category=category, subcategory=name.replace("_", " "))


def figure_outputs(names):
    """The files of these figures, those for Snakemake's own report marked."""
    return [
        (
            in_report(f"{RESULTS}/figures/{file}", Path(Path(file).parts[0]).stem, "Figures")
            if file.endswith(".png")
            else f"{RESULTS}/figures/{file}"
        )
        for file in figure_files(names)
    ]


def attacks(pattern):
    """The files of this pattern, one an attack that an experiment uses."""
    used = dict.fromkeys((block.attack, block.steps) for block in ATTACKED.values())
    return [pattern.format(attack=attack, steps=steps) for attack, steps in used]


def archive_files(wildcards):
    """The archives of a data set, where the workflow keeps them."""
    return kept_archives(load_dataset(DATASETS[wildcards.dataset]))


def checksum_files(wildcards):
    """The checksums of these archives, which the workflow keeps beside them."""
    return [str(checksum_file(Path(path))) for path in archive_files(wildcards)]


def missing_archives(dataset):
    """What stands in the way of making a data set's arrays, one sentence a fault."""
    source = load_dataset(DATASETS[dataset])
    kinds = ["images"] if DATASETS[dataset] in PLAIN else []
    if any(CONFIG.attacks[block.attack].dataset == DATASETS[dataset] for block in ATTACKED.values()):
        kinds.append("pixels")
    if all(Path(RESULTS, kind, dataset, file).is_file() for kind in kinds for file in ARRAY_FILES):
        return []
    kept = [Path(path) for path in kept_archives(source)]
    there = [path.is_file() and checksum_file(path).is_file() for path in kept]
    needed = [archive for archive, found in zip(source.archives, there) if not found]
    return check_available(dataset, needed, CONFIG.mirror_folder())


def autoencoder_file(wildcards):
    """The shared autoencoder, for a method that starts from it."""
    if uses_autoencoder(wildcards.experiment, wildcards.method):
        return rules.autoencoder.output.weights
    return []


def group_of_short(wildcards):
    """On a cluster, a split and the methods without a network are one submission, which is worth its while."""
    short = "method" not in wildcards.keys() or not CONFIG.trains_network(wildcards.method)
    return "shallow" if short and workflow.non_local_exec else None


def gpus_of_fit(wildcards):
    """The GPUs of a fit: none for a method without a network."""
    return CONFIG.gpus if CONFIG.trains_network(wildcards.method) else 0


def force_if_damaged(wildcards):
    """No input; but a score file that is damaged, or another fit's, is made again as if it were lost."""
    fit = {**dict(wildcards.items()), "seed": int(wildcards.seed)}
    path = rules.fit.output[0].format(**fit)
    # The processes that jobs on a cluster start have no say in what is made.
    if workflow.exec_mode == ExecMode.DEFAULT and path not in workflow.dag.forcefiles and Path(path).is_file():
        if damage := find_damage(Path(path), fit):
            logger.warning(f"{damage} It is made again.")
            workflow.dag.forcefiles.add(path)
    return []
