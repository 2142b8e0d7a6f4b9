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
from ocnn.errors import ConfigError
from ocnn.fingerprint import fingerprint
from ocnn.pipeline import IMAGE_FILES, grid_fits
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
DATASETS = {CONFIG.dataset(name).name: CONFIG.experiments[name].dataset for name in CONFIG.experiments}
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
    return [f"{RESULTS}/images/{name}/{file}" for file in IMAGE_FILES]


def archive_files(wildcards):
    """The archives of a data set, where the workflow keeps them."""
    dataset = load_dataset(DATASETS[wildcards.dataset])
    return [f"{CONFIG.archives}/{dataset.name}/{archive.name}" for archive in dataset.archives]


def missing_archives(dataset):
    """What stands in the way of making a data set's arrays, one sentence a fault."""
    source = load_dataset(DATASETS[dataset])
    if all(Path(RESULTS, "images", dataset, file).is_file() for file in IMAGE_FILES):
        return []
    needed = [a for a in source.archives if not Path(CONFIG.archives, dataset, a.name).is_file()]
    return check_available(dataset, needed, CONFIG.mirror_folder())


def autoencoder_file(wildcards):
    """The shared autoencoder, for a method that starts from it."""
    if CONFIG.uses_autoencoder(wildcards.experiment, wildcards.method):
        return rules.autoencoder.output.weights
    return []
