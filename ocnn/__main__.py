"""The command line for data of one's own: `ocnn methods`, `ocnn datasets`, `ocnn score`.

It saves a file of Python or of YAML where one method is to score one table or one folder of pictures. Everything that
is measured, compared or repeated is the workflow's: `snakemake --configfile …`.
"""

import argparse
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from ocnn.errors import ConfigError, OcnnError

if TYPE_CHECKING:
    import pandas as pd

    from ocnn.config.schema import Config

#: Name of the data set, the method and the experiment in the configuration that the arguments of `score` amount to.
DATA, METHOD, EXPERIMENT = "data", "method", "scores"
#: Height and width of pictures where `--data size=…` says nothing else.
USUAL_SIZE = 32
#: Keys of a row of the configuration that ask for more than one fitted detector.
OF_THE_WORKFLOW = ("estimator", "input", "published", "resources")
#: What the faults of that configuration are called on the command line.
SAID = {
    f"datasets.{DATA}.": "--data ",
    f"datasets.{DATA}: ": "",
    f"methods.{METHOD}.estimator": "--method",
    f"methods.{METHOD}.": "--set ",
    f"methods.{METHOD}: ": "--method: ",
    f"experiments.{EXPERIMENT}.seeds": "--seed",
    f"experiments.{EXPERIMENT}.pixels": "--data pixels",
    f"experiments.{EXPERIMENT}.": "",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status is 0, or 1 for what a user can mend, which one line says."""
    chosen = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = chosen.run
    try:
        run(chosen)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has had enough, as `head` has; what Python itself flushes at its end must find a place.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OcnnError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ocnn", description=__doc__.splitlines()[2])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    methods = commands.add_parser("methods", help="list the methods, or describe one with its settings")
    methods.add_argument("name", nargs="?", help="a method; none lists them")
    methods.set_defaults(run=list_methods)
    datasets = commands.add_parser("datasets", help="list the data sets that are known by name")
    datasets.set_defaults(run=list_datasets)
    score = commands.add_parser(
        "score",
        help="score a table or a folder of pictures with one method",
        description="Fits a method to all rows of a table, or all pictures below a folder, whose labels nobody knows,"
        " and lists the most anomalous of them. With a `test_file`, or the folders `train` and `test`, those are scored"
        " that are not fitted. It is what `normal: none` is in a configuration.",
    )
    score.add_argument("data", type=Path, help="a CSV, Parquet, Arrow, Feather or NPZ file, or a folder of pictures")
    score.add_argument("--method", default="knn", help="of `ocnn methods`, or `package.module:Class` (default: knn)")
    score.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the method, as YAML; repeatable"
    )
    score.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help="how the data are read, a key of `datasets` in config/README.md, as YAML: leave_out=[id], impute=median,"
        " scaling=robust, test_file=new.csv, size=64, …; or pixels=scaled, which leaves the contrast of pictures alone;"
        " repeatable",
    )
    score.add_argument("--contamination", type=float, default=0.1, help="share of anomalies to expect (default: 0.1)")
    score.add_argument("--seed", type=int, default=0, help="of the random numbers (default: 0)")
    score.add_argument("--top", type=int, default=20, help="so many of the most anomalous are shown (default: 20)")
    score.add_argument("--output", type=Path, help="a CSV file that gets all of them, the most anomalous first")
    score.set_defaults(run=score_data)
    return parser


def list_methods(chosen: argparse.Namespace) -> None:
    """Print the methods, a line each; or one with its docstring and its settings."""
    from ocnn.methods import METHODS, load_estimator

    if chosen.name is None:
        for name, path in METHODS.items():
            summary = (inspect.getdoc(resolve_name(path)) or "").splitlines()[0]
            print(f"{name:16}{summary}")
        return
    if chosen.name not in METHODS:
        raise ConfigError(f"no method {chosen.name!r}; known are {', '.join(METHODS)}")
    estimator = load_estimator(chosen.name)
    print(f"{chosen.name}: {METHODS[chosen.name]}\n\n{inspect.getdoc(estimator)}\n\nSettings and their defaults:")
    for name, value in estimator().get_params().items():
        print(f"  {name}: {value!r}")


def list_datasets(chosen: argparse.Namespace) -> None:
    """Print the data sets that are known by name, a line each."""
    from ocnn.data import DATASETS, load_dataset

    for name in DATASETS:
        dataset = load_dataset(name)
        fetched = f"{len(dataset.archives)} archives to fetch" if dataset.archives else "nothing to fetch"
        print(f"{name:16}{len(dataset.classes)} classes, {fetched}")


def score_data(chosen: argparse.Namespace) -> None:
    """Fit a method to data without labels, and print the most anomalous samples."""
    from ocnn.results.frames import write_csv
    from ocnn.steps.runtime import state_environment

    if chosen.top < 0:
        raise ConfigError(f"--top must be at least 0, got {chosen.top}")
    if not 0 < chosen.contamination <= 0.5:
        raise ConfigError(f"--contamination must be above 0 and at most 0.5, got {chosen.contamination}")
    if chosen.output is not None and not chosen.output.absolute().parent.is_dir():
        raise ConfigError(f"--output: there is no folder {chosen.output.absolute().parent}")
    if chosen.output is not None and chosen.output.suffix.lower() != ".csv":
        raise ConfigError(f"--output must end in .csv, got {chosen.output}")
    state_environment()
    # As for `python -m`: a detector or a reader of one's own stands in the working directory.
    sys.path.insert(0, "")
    config = _configuration(chosen)
    _, read = config.source_path(DATA)
    for key in ("file", "test_file"):
        given = (read or {}).get(key)
        if given and chosen.output is not None and chosen.output.exists() and chosen.output.samefile(given):
            raise ConfigError(f"--output {chosen.output}: that is the table that is read")
    print(f"{chosen.method} is fitted to {chosen.data} …", file=sys.stderr, flush=True)
    ranked, diagnosis = rank(config, chosen.seed)
    if chosen.output is not None:
        write_csv(chosen.output, ranked)
    if chosen.top:
        print(ranked.head(chosen.top).to_string(index=False, float_format=lambda number: f"{number:.6g}"))
    where = f"; all of them in {chosen.output}" if chosen.output is not None else ""
    beyond = int(ranked["flagged"].sum())
    print(f"{beyond} of {len(ranked)} are beyond the threshold, above 0{where}. The fit: {diagnosis}.", file=sys.stderr)


def rank(config: "Config", seed: int) -> tuple["pd.DataFrame", str]:
    """Fit the method of a configuration without labels to its data, and order the samples that it scores.

    Returns:
        `place`, from 1, `sample`, `anomaly_score`, less the threshold, and whether it is `flagged`, that is above 0;
        the most anomalous first, ties in the order of the data, what is not finite last. And the fit's diagnosis.
    """
    import numpy as np
    import pandas as pd
    from sklearn.exceptions import ConvergenceWarning

    from ocnn.data.preprocessing import contrast_normalized, rescale, scaling_constants, to_unit_interval
    from ocnn.methods import load_estimator
    from ocnn.methods.wrapped import WrappedDetector

    dataset = config.dataset(EXPERIMENT)
    arrays = dataset.load({})
    X, new = arrays.train, arrays.test
    if dataset.images:
        scaled = config.experiments[EXPERIMENT].pixels == "scaled"
        X, new = (to_unit_interval(part) if scaled else contrast_normalized(part) for part in (X, new))
    constants = scaling_constants(config.scaling(EXPERIMENT), X, dataset.encoded)
    X, new = (rescale(part, *constants) if len(part) else part for part in (X, new))
    detector = load_estimator(config.estimator(METHOD))(**config.settings(EXPERIMENT, METHOD, seed))
    if config.is_wrapped(METHOD):
        detector = WrappedDetector(detector, **config.wrapper_settings(METHOD, seed))
    with warnings.catch_warnings():
        # The diagnosis says it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        detector.fit(X)
    decisions = detector.decision_function(new) if len(new) else detector.training_scores_ - detector.offset_
    _, described = config.source_path(DATA)
    names = resolve_name(config.names_path(DATA))(**(described or {}))["test" if len(new) else "train"]
    scores = -np.asarray(decisions, np.float64)
    frame = pd.DataFrame({"sample": names, "anomaly_score": scores, "flagged": scores > 0})
    order = np.argsort(np.where(np.isfinite(scores), -scores, np.inf), kind="stable")
    ranked = frame.iloc[order].reset_index(drop=True)
    ranked.insert(0, "place", np.arange(1, len(ranked) + 1))
    return ranked, f"{detector.diagnosis_.status}, {detector.diagnosis_.reason}"


def _configuration(chosen: argparse.Namespace) -> "Config":
    """The configuration that the arguments of `score` amount to, checked as that of a run.

    Raises:
        ConfigError: what is wrong with them, in their own words.
    """
    from ocnn.config.checks import load

    settings = _pairs("--set", chosen.set)
    if unfit := [key for key in settings if key in OF_THE_WORKFLOW]:
        raise ConfigError(f"--set {unfit[0]}: that is a key of the workflow's configuration, not of a detector")
    read: dict[str, Any] = {"normal": "none", **_pairs("--data", chosen.settings)}
    if chosen.data.is_dir():
        read = {"folder": str(chosen.data), "size": USUAL_SIZE, **read}
    else:
        read = {"file": str(chosen.data), **read}
    if read["normal"] != "none":
        raise ConfigError("--data normal: nothing is measured here, so that no labels are read; leave their column out")
    kept = {"pixels": read.pop("pixels")} if "pixels" in read else {}
    content = {
        "datasets": {DATA: read},
        "methods": {METHOD: {"estimator": chosen.method, **settings}},
        "experiments": {
            EXPERIMENT: {"dataset": DATA, "contamination": chosen.contamination, "seeds": [chosen.seed], **kept}
        },
    }
    try:
        return load(content)
    except ConfigError as error:
        raise ConfigError(_in_words_of_arguments(str(error))) from None


def _in_words_of_arguments(faults: str) -> str:
    lines = [line.strip() for line in faults.splitlines()[1:]]
    for path, said in SAID.items():
        lines = [line.replace(path, said, 1) if line.startswith(path) else line for line in lines]
    return "; ".join(lines)


def _pairs(option: str, texts: Sequence[str]) -> dict[str, Any]:
    """What `KEY=VALUE` says, for each of several texts."""
    import yaml

    pairs = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise ConfigError(f"{option} {text}: expected KEY=VALUE")
        if len(value) == 1 and not value.isalnum():
            # A separator or a decimal sign; some of them mean something in YAML.
            pairs[key] = value
            continue
        try:
            pairs[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"{option} {key}: {value!r} is no YAML") from None
    return pairs


if __name__ == "__main__":
    sys.exit(main())
