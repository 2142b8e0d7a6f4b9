# The configuration, and what the rules share.
import gc
import json
import os
import sys
from collections import Counter
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.path_modifier import PathModifier
from snakemake.settings.types import DeploymentMethod, ExecMode
from snakemake.utils import min_version

min_version("9.10")


include: "root.smk"


from ocnn.config.checks import load
from ocnn.config.plan import TABLE_SUFFIXES, figure_files
from ocnn.data.archives import check_available, checksum_file
from ocnn.data.dataset import ARRAY_FILES
from ocnn.errors import ConfigError
from ocnn.report.rendering import read_caption, without_number
from ocnn.steps.environment import OWN_ENVIRONMENT, export_own
from ocnn.steps.jobs import Jobs
from ocnn.steps.runtime import export_environment
from ocnn.storage.files import safe_name
from ocnn.storage.places import (
    little_space,
    remove_leftovers,
    why_no_folder,
    why_no_temporary_files,
    why_not_writable,
    why_snakemake_would_fail,
)
from ocnn.storage.recipes import digest_of

# Planning makes millions of objects and drops few, and looking for cycles among them would take a quarter of its time.
gc.set_threshold(100_000, 50, 1000)

# The processes that jobs on a cluster start read no records, and have no say in what is made.
MAIN = workflow.exec_mode == ExecMode.DEFAULT
# Whether another's Snakefile has this workflow as a module, beside rules of its own.
AS_MODULE = not workflow.modifier.is_main_snakefile()
CONFIG_FILE = "config/config.yaml"
if not AS_MODULE and not os.path.exists(CONFIG_FILE):
    if MAIN and not workflow.overwrite_configfiles:
        logger.warning(f"There is no {CONFIG_FILE} in {os.getcwd()}: the default benchmark is run there.")
    CONFIG_FILE = str(ROOT / CONFIG_FILE)

# A configuration file on the command line replaces the default one; Snakemake itself would mix the two.
if not workflow.overwrite_configfiles:

    configfile: CONFIG_FILE


#: Where modules are looked for, by planning and by jobs: here, where `python -m` looks first; beside the main Snakefile;
#: beside each configuration file.
FOLDERS = [ROOT, Path.cwd(), Path(workflow.basedir), *(Path(file).absolute().parent for file in workflow.configfiles)]
FOLDERS = [folder for folder in dict.fromkeys(FOLDERS) if folder.is_dir()]
sys.path[:0] = [str(folder) for folder in FOLDERS if str(folder) not in sys.path]

try:
    CONFIG = load(config, workflow.configfiles, ROOT)
except ConfigError as error:
    raise WorkflowError(str(error))


def moved(folder):
    """A folder of the configuration where the `prefix` or `replace_prefix` of a module has it."""
    return os.path.normpath(workflow.modifier.path_modifier.replace_prefix(f"{folder}/"))


RESULTS, ARCHIVES = moved(CONFIG.results), moved(CONFIG.archives)
# With these, every path says where a file is, in rules as in what a job is told. Snakemake would move those of rules
# alone, and what is an input here and an output there twice.
workflow.modifier.path_modifier = PathModifier(None, None, workflow)

# The bars in a terminal have none; of another plugin, or a later one that is made otherwise, nothing is known.
BARS = [getattr(handler, "progress", None) for handler in getattr(workflow.logger_manager, "plugin_handlers", ())]
for bars in BARS:
    if not AS_MODULE and hasattr(bars, "columns"):
        from ocnn.steps.progress import MinutesLeft

        bars.columns = (*bars.columns, MinutesLeft())

if MAIN and (fault := why_snakemake_would_fail(Path(".snakemake"))):
    raise WorkflowError(fault)
if MAIN and (fault := why_no_folder(Path(RESULTS))):
    raise WorkflowError(f"{fault} Mend that, or name another folder by the configuration's `results`.")

export_own(FOLDERS, CONFIG.mirror_folder(), alone=not AS_MODULE)
if not AS_MODULE:
    export_environment(ROOT, CONFIG.mirror_folder())

JOBS = Jobs(CONFIG)
ENVIRONMENT = "../../envs/jobs.yaml"
#: The command of every job: one step, its log, and the end of that where it failed. Snakemake takes another command
#: for another job; so it stays as it is.
RUN = "python -m ocnn.steps {params.job:q} {params.files:q} > {log:q} 2>&1 || {{ tail -n 5 {log:q} >&2; exit 1; }}"
if AS_MODULE or (Path.cwd() != ROOT and DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method):
    # Jobs of others inherit what is set for all, and in an environment of conda's Snakemake hides PYTHONPATH.
    RUN = f"env {OWN_ENVIRONMENT} {RUN}"
#: For each experiment on an attacked class its attack; for its arrays' folder the experiment.
ATTACKED = {name: block for name, block in CONFIG.experiments.items() if block.attack is not None}
ADVERSARIAL = {CONFIG.dataset(name).name: name for name in ATTACKED}
#: Where the archives of each data set are read to, and under which name the configuration has it.
PLAIN = {block.dataset for block in CONFIG.experiments.values() if block.dataset is not None}
DATASETS = {
    safe_name(CONFIG.source(name).name): name
    for name in [*sorted(PLAIN), *sorted({CONFIG.attacks[block.attack].dataset for block in ATTACKED.values()})]
}
PLAN = CONFIG.plan()
#: Of the report and of tables as pages; a change of these rebuilds them, but a move of the whole folder does not.
TEMPLATES = sorted(os.path.relpath(path) for path in (ROOT / "ocnn" / "report" / "templates").iterdir())
CAPTIONS = sorted(os.path.relpath(path) for path in (ROOT / "workflow" / "report").glob("*.rst"))

uses_autoencoder = cache(CONFIG.uses_autoencoder)
resources = cache(CONFIG.resources)
is_short = cache(CONFIG.is_short)
digest = cache(digest_of)
#: How often each reason to remake something was said.
SAID = Counter()


def job(rule, names=lambda wildcards: wildcards, **places):
    """The job of a rule, as JSON, for its wildcards.

    names: the wildcards as `Jobs` takes them. places: folders and patterns of paths by the step's argument.
    """
    return lambda wildcards: getattr(JOBS, rule)(**dict(names(wildcards).items())).text(**places)


def files(unread=(), unnamed=(), written=None):
    """The files of a job by role, as JSON; roles without a file are left out.

    unread: roles that are inputs of the job and no arguments of its step.
    unnamed: roles of more files than a command line takes, which the step finds by a pattern.
    written: the outputs that are arguments of its step; the others it finds by a folder.
    """

    def by_role(wildcards, input, output):
        inputs, outputs = (
            {role: value if isinstance(value, str) else list(value) for role, value in named.items() if value}
            for named in (input, output)
        )
        content = {
            "inputs": {role: value for role, value in inputs.items() if role not in (*unread, *unnamed)},
            "others": {role: value for role, value in inputs.items() if role in unread},
            "outputs": {role: value for role, value in outputs.items() if written is None or role in written},
        }
        return json.dumps(content)

    return by_role


def stale(rule, products, names=lambda wildcards: wildcards, gathered=None):
    """No input; but a product that is not what this configuration and code would make is made again as if it were lost.

    products: the path of the one that states what decided the job's products, or a list of all that do.
    gathered: the pattern of files, one per fit, of which these state one digest.

    The product itself says what decided it (`ocnn.storage.recipes`), so that no clock and no record of Snakemake's is
    asked. Snakemake has no plainer way to remake what is there: `--forcerun` makes its files targets.
    """

    def check(wildcards):
        paths = [
            path.format(**dict(wildcards.items())) for path in ([products] if isinstance(products, str) else products)
        ]
        there = [path for path in paths if os.path.isfile(path)]
        if MAIN and there and not workflow.dag.forcefiles.intersection(paths):
            wanted = getattr(JOBS, rule)(**dict(names(wildcards).items()))
            together = [Path(file) for file in paths_of(gathered, PLAN.fits())] if gathered else []
            for path in there:
                if reason := wanted.why_stale(Path(path), digest, together):
                    say(rule, path, reason)
                    workflow.dag.forcefiles.add(path)
                    break
        return []

    return check


def stated(name):
    """Where what a rule made that cannot hold its recipe has it."""
    return f"{RESULTS}/recipes/{name}.json"


def say(rule, path, reason, most=3):
    """Say why a file is made again; of many that are for one reason, the first few."""
    SAID[rule, reason] += 1
    if SAID[rule, reason] <= most:
        logger.warning(f"{path} {reason}. It is made again.")
    elif SAID[rule, reason] == most + 1:
        logger.warning(f"More files of the rule {rule} are made again for the same reason.")


def by_dataset(wildcards):
    """The wildcards with the configuration's name of a data set for that of its folder."""
    return {**dict(wildcards.items()), "dataset": DATASETS[wildcards.dataset]}


def by_experiment(wildcards):
    """An experiment on these adversarial images."""
    return {"experiment": ADVERSARIAL[f"{wildcards.attack}-{wildcards.steps}-{wildcards.scoring}"]}


def paths_of(pattern, fits):
    """The files of this pattern, one per fit, each once."""
    return list(dict.fromkeys(str(fit.path(pattern)) for fit in fits))


def fits(pattern, first_seed=False):
    """An input: the files of this pattern, one per fit, or per fit of the first seed of each experiment."""
    # All inputs of many files are functions: to plan a job, Snakemake hashes a named list once for each of its files.
    return lambda wildcards: paths_of(pattern, PLAN.fits(first_seed=first_seed))


def of_experiment(pattern):
    """An input: the files of this pattern, one per fit of the experiment of a rule."""
    return lambda wildcards: paths_of(pattern, (fit for fit in PLAN.fits() if fit.experiment == wildcards.experiment))


def array_files(folder):
    """The arrays in a folder: those of gigabytes are judged by the checksums beside them, not by their times."""
    return [f"{folder}/{file}" if file.endswith(".parquet") else ancient(f"{folder}/{file}") for file in ARRAY_FILES]


def image_files(wildcards):
    """The arrays of an experiment's data set."""
    return array_files(f"{RESULTS}/{PLAN[wildcards.experiment].dataset}")


def pixel_files(wildcards):
    """The arrays of an attacked data set."""
    name = CONFIG.source(CONFIG.attacks[wildcards.attack].dataset).name
    return array_files(f"{RESULTS}/pixels/{safe_name(name)}")


def previous_attack(wildcards):
    """The attack that one goes on with."""
    previous = CONFIG.previous_steps(wildcards.attack, int(wildcards.steps))
    return [] if previous is None else f"{RESULTS}/attacks/{wildcards.attack}/steps-{previous}.npz"


def all_images(wildcards):
    """The arrays of every experiment."""
    folders = dict.fromkeys(experiment.dataset for experiment in PLAN.experiments)
    return [file for folder in folders for file in array_files(f"{RESULTS}/{folder}")]


def all_archives():
    """Every archive that something is read from."""
    return [file for name in DATASETS.values() for file in kept_archives(CONFIG.source(name))]


def kept_archives(dataset):
    """Where the workflow keeps the archives of a data set."""
    return [f"{ARCHIVES}/{safe_name(dataset.name)}/{archive.name}" for archive in dataset.archives]


@cache
def caption_title(name):
    """The title of a caption, without the paper's numbers."""
    return without_number(read_caption(ROOT / "workflow" / "report" / f"{name}.rst")[0])


def in_report(path, name, category, shows="all experiments"):
    """An output with its place, label and caption in Snakemake's own report."""
    # From the rules' folder: so Snakemake finds it in git, too.
    caption = f"../report/{name}.rst"
    return report(path, caption, category=category, subcategory=caption_title(name), labels={"shows": shows})


def figure_outputs(names):
    """The files of these figures, those for Snakemake's own report marked."""

    def marked(file):
        kind, *subject = file.removesuffix(".png").split("/")
        labels = {"shows": ", ".join(subject)} if subject else {}
        return in_report(f"{RESULTS}/figures/{file}", kind, "Figures", **labels)

    return [marked(file) if file.endswith(".png") else f"{RESULTS}/figures/{file}" for file in figure_files(names)]


def own_table(kind):
    """The files of a table of one experiment."""
    files = [f"{RESULTS}/tables/{kind}/{{experiment}}{suffix}" for suffix in (*TABLE_SUFFIXES, ".json")]
    return [in_report(file, kind, "Tables", "{experiment}") if file.endswith(".html") else file for file in files]


def attacks(pattern):
    """The files of this pattern, one per attack that an experiment uses."""
    used = dict.fromkeys((block.attack, block.steps) for block in ATTACKED.values())
    return [str(pattern).format(attack=attack, steps=steps) for attack, steps in used]


def archive_files(wildcards):
    """The archives of a data set, where the workflow keeps them."""
    return kept_archives(CONFIG.source(DATASETS[wildcards.dataset]))


def checksum_files(wildcards):
    """The checksums of these archives, which the workflow keeps beside them."""
    return [str(checksum_file(Path(path))) for path in archive_files(wildcards)]


def missing_archives(dataset):
    """What stands in the way of making a data set's arrays, one sentence per fault."""
    source = CONFIG.source(DATASETS[dataset])
    name = DATASETS[dataset]
    kinds = {CONFIG.arrays_folder(key) for key, block in CONFIG.experiments.items() if block.dataset == name}
    if any(CONFIG.attacks[block.attack].dataset == name for block in ATTACKED.values()):
        kinds.add("pixels")
    if all(Path(RESULTS, kind, dataset, file).is_file() for kind in kinds for file in ARRAY_FILES):
        return []
    kept = kept_archives(source)
    # Of a folder that cannot be looked into, these say no, where a `Path` would raise an error.
    there = [os.path.isfile(path) and os.path.isfile(checksum_file(Path(path))) for path in kept]
    needed = [archive for archive, found in zip(source.archives, there) if not found]
    if needed and (unwritable := why_not_writable(Path(ARCHIVES))):
        return [f"{unwritable} The archives are to be kept there; name another folder by the key `archives`."]
    return check_available(source.name, needed, CONFIG.mirror_folder())


def autoencoder_file(wildcards):
    """The shared autoencoder, for a method that starts from it or works on its codes."""
    if uses_autoencoder(wildcards.experiment, wildcards.method):
        return rules.autoencoder.output.weights
    return []


def group_of_short(wildcards):
    """On a cluster, a split and the methods that take little are one submission, which is worth its while."""
    short = "method" not in wildcards.keys() or is_short(wildcards.method)
    return "shallow" if short and workflow.non_local_exec else None
