"""Somebody else's workflow: a laboratory with rules, data, readers and detectors of its own, which uses this one."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pandas as pd
import pytest
import yaml
from jsonschema import Draft202012Validator

from ocnn.config.__main__ import json_schema
from ocnn.config.checks import load
from ocnn.results.scores import read_scores
from ocnn.steps.runtime import STATED
from tests.conftest import ROOT
from tests.workflow.conftest import PARTS, SHOWN, SHOWN_OF_SOME, Checkout, rules

pytestmark = pytest.mark.long

PAGE = (ROOT / "docs" / "other_workflows.md").read_text(encoding="utf-8")
#: The files that the page shows, by the name in their first line.
EXAMPLES = dict(re.findall(r"```(?:snakemake|yaml)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
GITHUB = 'github("OWNER/ocnn", path="workflow/Snakefile", tag="v1")'
SNAKEFILE = EXAMPLES["workflow/Snakefile"]
MODULE = "\n\n" + SNAKEFILE[SNAKEFILE.index("module ") : SNAKEFILE.index("onstart:")]
READER = """
import numpy as np
from ocnn.data.dataset import Arrays, Dataset


def read(archives):
    rng = np.random.default_rng(0)
    normal, odd = rng.normal(size=(60, 3)), rng.normal(4, 1, size=(10, 3))
    return Arrays(normal[:40], ["fine"] * 40, np.vstack([normal[40:], odd]), ["fine"] * 20 + ["odd"] * 10)


MINE = Dataset(name="mine", classes=("fine", "odd"), read=read, images=False)
"""
DETECTOR = """
import numpy as np


class Distance:
    def fit(self, X):
        self.mean_ = X.mean(axis=0)

    def decision_function(self, X):
        return np.linalg.norm(X - self.mean_, axis=1)
"""
OWN: dict[str, Any] = {
    "methods": {"distance": {"estimator": "lab_detectors:Distance", "higher_scores": "anomalous"}},
    "experiments": {"mine": {"dataset": "lab_readers:MINE", "normal_classes": ["fine"], "contamination": 0}},
    "published": {"auc": ["config/published/table3.csv"]},
}
TABLE: dict[str, Any] = {
    "methods": {"knn": {}},
    "datasets": {"rows": {"file": "../data/rows.csv", "normal": ["ok"]}},
    "experiments": {"rows": {"dataset": "rows", "contamination": 0}},
}
#: Each of these would fail a job of ours, or change what it does.
ENVIRONMENT = {"MPLBACKEND": "none", "MATPLOTLIBRC": "/none", "PYTHONOPTIMIZE": "2", "LC_ALL": "POSIX"}
#: What only reads results or copies a file.
READING = ("archive", *SHOWN, *SHOWN_OF_SOME)
#: Of these each has one job for a configuration with one fit.
RULES = ("images", "split", "fit", *SHOWN)


class Laboratory(Checkout):
    """A folder of somebody else's, with a Snakefile and a configuration."""

    def __init__(self, folder: Path, source: str, config: Mapping[str, Any], snakefile: str = SNAKEFILE) -> None:
        self.folder = folder
        (folder / "workflow").mkdir(parents=True)
        assert GITHUB in snakefile
        (folder / "workflow" / "Snakefile").write_text(snakefile.replace(GITHUB, source))
        self.configure({"other": {"key": 3}, "anomalies": dict(config)})


def test_the_page_shows_a_whole_configuration() -> None:
    config = yaml.safe_load(EXAMPLES["config/config.yaml"])["anomalies"]
    assert Draft202012Validator(json_schema()).is_valid(config)


def write_rows(folder: Path) -> None:
    rows = pd.DataFrame({"a": range(40), "b": range(40), "label": ["ok"] * 36 + ["bad"] * 4})
    folder.mkdir()
    rows.to_csv(folder / "rows.csv", index=False)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=Lab", "-c", "user.email=lab@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflow in git, with a tag."""
    folder = tmp_path_factory.mktemp("hub") / "people" / "ocnn"
    folder.mkdir(parents=True)
    for part in (*PARTS, "config"):
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder / part)
    # The tests read which jobs there are from what Snakemake prints by itself.
    for profiles in ("profiles", "workflow/profiles"):
        profile = folder / profiles / "default" / "config.yaml"
        profile.write_text(profile.read_text().replace("logger: rich\n", ""))
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "The workflow")
    git(folder, "tag", "v1")
    # What is read must come from the commit.
    shutil.rmtree(folder / "ocnn")
    return folder


@pytest.fixture(scope="module")
def finished(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """Everything was run, from git and under a prefix, with a reader and a detector in the laboratory's folders."""
    source = f'gitfile("{repository}", path="workflow/Snakefile", tag="v1")'
    snakefile = SNAKEFILE.replace("cp {input} {output}", "cp {input} {output} && env > environment.txt")
    laboratory = Laboratory(tmp_path_factory.mktemp("finished") / "lab", source, OWN, snakefile)
    (laboratory.folder / "config" / "lab_readers.py").write_text(READER)
    (laboratory.folder / "workflow" / "lab_detectors.py").write_text(DETECTOR)
    laboratory.succeed("all", "ocnn_all", **ENVIRONMENT)
    return laboratory


def test_everything_comes_out_under_the_prefix(finished: Laboratory, repository: Path) -> None:
    results = finished.folder / "ocnn_results" / "results"
    metrics = pd.read_parquet(results / "metrics.parquet")
    assert metrics.loc[metrics["evaluation"] == "test", "auc"].tolist() == [1.0]
    assert "100.0" in (results / "tables" / "table3.md").read_text(encoding="utf-8")
    assert (results / "figures" / "auc" / "mine.png").is_file()
    commit = git(repository, "rev-parse", "--short=12", "v1")
    report = (results / "report.html").read_text(encoding="utf-8")
    assert f"<td>{commit}</td>" in re.sub(r"<td[^>]*>", "<td>", report)
    # The caption of a figure, of which the report has each.
    assert "AUC per class and method" in report
    _, stated = read_scores(results / "scores" / "mine" / "fine" / "distance" / "seed-0.parquet")
    assert stated["estimator"] == "lab_detectors:Distance"
    made = {path.name for path in finished.folder.iterdir()}
    assert made == {".snakemake", "config", "workflow", "ocnn_results", "auc.parquet", "environment.txt"}
    assert {path.name for path in (finished.folder / "ocnn_results").iterdir()} == {"results"}


def test_rules_of_the_laboratory_inherit_what_it_has_set(finished: Laboratory) -> None:
    """And our jobs do not; ours alone are told by names of our own."""
    lines = (finished.folder / "environment.txt").read_text(encoding="utf-8").splitlines()
    found, given = dict(line.split("=", 1) for line in lines if "=" in line), finished.environment(**ENVIRONMENT)
    names = {*STATED, *ENVIRONMENT, "PATH", "PYTHONPATH"}
    assert {name: found.get(name) for name in names} == {name: given.get(name) for name in names}
    folders = [finished.folder, finished.folder / "workflow", finished.folder / "config"]
    assert found["OCNN_PYTHONPATH"].split(os.pathsep)[1:] == list(map(str, folders))


def test_a_second_run_does_nothing_and_an_edit_what_depends_on_it(finished: Laboratory, tmp_path: Path) -> None:
    copy = Laboratory.there(finished.copy_to(tmp_path / "copy").folder)
    assert rules(copy.succeed("-n", "all", "ocnn_all")) == {}
    # Without Snakemake's records, and without the copy of the commit.
    shutil.rmtree(copy.folder / ".snakemake")
    assert rules(copy.succeed("-n", "ocnn_results/results/metrics.parquet")) == {}
    path = copy.folder / "workflow" / "lab_detectors.py"
    path.write_text(path.read_text().replace("linalg.norm(X", "linalg.norm(2 * X"))
    output = copy.succeed("-n", "ocnn_results/results/metrics.parquet")
    assert rules(output) == {"ocnn_fit": 1, "ocnn_metrics": 1}
    assert "distance/seed-0.parquet was made by other code. It is made again." in output


def test_snakemakes_own_report(finished: Laboratory) -> None:
    """It begins with what the run is, and captions come from git."""
    finished.succeed("ocnn_all", "--report", "snakemake.html")
    path = finished.folder / "snakemake.html"
    page = path.read_text(encoding="utf-8")
    path.unlink()
    (introduction,) = re.findall(r'workflow_desc = (".*")', page)
    introduction = re.sub("<[^>]*>", "", json.loads(introduction))
    assert "One-class anomaly detection" in introduction
    assert "mine: data set lab_readers:MINE, contamination 0, methods distance" in " ".join(introduction.split())
    assert "<strong>AUC per class and method.</strong>" in page


#: What snakedeploy 0.17 writes beside the folders that it copies.
DEPLOYED = """
from snakemake.utils import min_version

min_version("6.10.0")


configfile: "config/config.yaml"


module ocnn:
    snakefile:
        github("people/ocnn", path="workflow/Snakefile", tag="v1")
    config:
        config


use rule * from ocnn
"""


@pytest.fixture
def hub(repository: Path, tmp_path: Path) -> dict[str, str]:
    """The environment in which git finds the repository at GitHub."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{repository.parent.parent}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


def deploy(repository: Path, folder: Path, environment: Mapping[str, str]) -> None:
    """What `snakedeploy deploy-workflow` does, by itself where it is installed."""
    if command := shutil.which("snakedeploy"):
        arguments = ["deploy-workflow", "https://github.com/people/ocnn", str(folder), "--tag", "v1"]
        subprocess.run([command, *arguments], env={**os.environ, **environment}, check=True)
    else:
        (folder / "workflow").mkdir(parents=True)
        (folder / "workflow" / "Snakefile").write_text(DEPLOYED)
        shutil.copytree(repository / "config", folder / "config")
        shutil.copytree(repository / "profiles", folder / "profiles")


def test_what_snakedeploy_writes(repository: Path, hub: Mapping[str, str], tmp_path: Path) -> None:
    deploy(repository, tmp_path / "lab", hub)
    laboratory = Laboratory.there(tmp_path / "lab")
    output = laboratory.succeed("-n", "--config", "run=[synthetic]", **hub)
    assert "workflow specific profile profiles/default" in output
    plan = rules(output)
    assert plan["images"] == plan["all"] == plan["report"] == 1
    assert plan["fit"] == 12
    assert "config/published/claims.yaml" in output
    assert ".snakemake/ocnn" not in re.search(r"rule summary:\n +input: (.*)", output)[1]  # type: ignore[index]
    # Another configuration takes the place of the deployed one; its jobs find the package.
    files = ("--replace-workflow-config", "--configfile", "config/paper.yaml", "config/part.yaml")
    assert set(rules(laboratory.succeed("-n", *files, **hub))) > {"archive", "images", "fit"}
    laboratory.succeed("results/images/synthetic/train.npy", **hub)


@pytest.mark.parametrize("snakefile", ["workflow/Snakefile", "Snakefile"])
def test_a_module_from_a_folder(snakefile: str, tmp_path: Path) -> None:
    """Its target is the laboratory's own; a path begins at the configuration; a profile may speak of a rule."""
    told = SNAKEFILE + "\n\nprint('Not for a cluster:', *sorted(workflow._localrules))\n"
    laboratory = Laboratory(tmp_path / "lab", f'"{ROOT / snakefile}"', TABLE, told)
    write_rows(laboratory.folder / "data")
    profile = laboratory.folder / "profiles" / "lab"
    profile.mkdir(parents=True)
    (profile / "config.yaml").write_text("set-resources:\n  ocnn_fit:\n    runtime: 7\n")
    output = laboratory.succeed("-n", "--workflow-profile", "lab")
    assert rules(output) == {"ocnn_images": 1, "ocnn_split": 1, "ocnn_fit": 1, "ocnn_metrics": 1, "auc": 1, "all": 1}
    everything = {f"ocnn_{rule}": 1 for rule in RULES}
    assert rules(laboratory.succeed("-n", "ocnn_all")) == {**everything, "ocnn_all": 1}
    assert re.search(r"rule ocnn_fit:\n(?: .*\n)*? +resources: .*runtime=7", output)
    assert "ocnn_results/results/scores/rows/ok/knn/seed-0.parquet" in output
    assert "ocnn_results/ocnn_results" not in output
    assert f"Not for a cluster: {' '.join(sorted(f'ocnn_{rule}' for rule in READING))}\n" in output


def test_a_prefix_that_is_replaced_a_rule_that_is_changed_and_a_second_module(tmp_path: Path) -> None:
    changed = SNAKEFILE.replace(
        'prefix:\n        "ocnn_results"', 'replace_prefix:\n        {"results/": "made/ocnn/"}'
    )
    changed += "\n\nuse rule fit from ocnn as ocnn_fit with:\n    threads: 2\n"
    changed += MODULE.replace("ocnn", "again").replace("OWNER/again", "OWNER/ocnn")
    source = os.path.relpath(ROOT / "workflow" / "Snakefile", tmp_path / "lab" / "workflow")
    laboratory = Laboratory(tmp_path / "lab", f'"{source}"', TABLE, changed)
    write_rows(laboratory.folder / "data")
    output = laboratory.succeed("-n", "ocnn_all", "again_all")
    plan = rules(output)
    assert plan["ocnn_fit"] == plan["ocnn_report"] == plan["again_fit"] == plan["again_report"] == 1
    assert "again_results/results/report.html" in output
    assert re.search(r"rule ocnn_fit:\n(?: .*\n)*? +threads: 2", output)
    assert "made/ocnn/report.html" in output
    assert not re.search(r"[ ,]results/", output)


def test_what_snakemake_cannot_do_is_as_documented(repository: Path, tmp_path: Path) -> None:
    """The errors that docs/other_workflows.md names."""
    source = f'gitfile("{repository}", path="Snakefile", tag="v1")'
    run = Laboratory(tmp_path / "root", source, OWN).run("-n")
    assert run.returncode != 0
    assert "path '/workflow/Snakefile' does not exist in 'v1'" in run.stdout + run.stderr
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "bare")
    source = f'gitfile("{tmp_path}/bare", path="workflow/Snakefile", tag="v1")'
    run = Laboratory(tmp_path / "bare_clone", source, OWN).run("-n")
    assert run.returncode != 0
    assert "this operation must be run in a work tree" in run.stdout + run.stderr
    handler = partial(SimpleHTTPRequestHandler, directory=str(ROOT))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/workflow"
        run = Laboratory(tmp_path / "address", f'"{address}/Snakefile"', OWN).run("-n")
        server.shutdown()
    assert run.returncode != 0
    assert f"From {address}/rules Snakemake reads rules alone" in run.stdout + run.stderr
    source = f'gitfile("{repository}", path="workflow/Snakefile", tag="v1")'
    run = Laboratory(tmp_path / "two", source, OWN, f"import ocnn\n{SNAKEFILE}").run("-n", PYTHONPATH=str(ROOT))
    assert run.returncode != 0
    assert f"Python has imported another `ocnn`, {ROOT}/ocnn/__init__.py" in run.stdout + run.stderr


def in_folder(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Snakemake as it is typed, but for the bars; it has no folder of the user's on Python's path."""
    inherited = {key: value for key, value in os.environ.items() if key not in ("OCNN_MIRROR", "PYTHONPATH")}
    command = [str(Path(sys.executable).parent / "snakemake"), "--cores", "2", "-s", str(ROOT / "Snakefile")]
    return subprocess.run(
        [*command, "--workflow-profile", "none", "--directory", str(folder), *arguments],
        cwd=folder.parent,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
    )


def test_another_directory_with_a_configuration(tmp_path: Path) -> None:
    """And with a reader and a detector in it; tables that it has none of are those of this checkout."""
    folder = tmp_path / "elsewhere"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(OWN))
    (folder / "lab_readers.py").write_text(READER)
    (folder / "lab_detectors.py").write_text(DETECTOR)
    run = in_folder(folder, "results/summary.parquet")
    assert run.returncode == 0, run.stdout + run.stderr
    metrics = pd.read_parquet(folder / "results" / "metrics.parquet")
    assert metrics.loc[metrics["evaluation"] == "test", "auc"].tolist() == [1.0]
    table = os.path.relpath(ROOT / "config" / "published" / "table3.csv", folder)
    assert re.search(rf"rule summary:\n +input: .*{re.escape(table)}", run.stdout + run.stderr)


def test_another_directory_without_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    # From a folder it needs no program `git` either.
    without_git = {"GIT_PYTHON_GIT_EXECUTABLE": "/nowhere/git"}
    run = in_folder(tmp_path / "elsewhere", "-n", "results/images/digits/train.npy", **without_git)
    output = run.stdout + run.stderr
    assert run.returncode == 0, output
    assert f"There is no config/config.yaml in {tmp_path}/elsewhere: the default benchmark" in output
    assert rules(run.stdout) == {"images": 1}


def test_a_package_that_planning_lacks_is_named(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sklearn.py").write_text("raise ModuleNotFoundError(name='sklearn')\n")
    run = in_folder(tmp_path / "elsewhere", "-n", PYTHONPATH=str(tmp_path))
    output = run.stdout + run.stderr
    assert run.returncode != 0
    assert "Planning needs the Python package sklearn, which is not there beside Snakemake in /" in output
    assert "Traceback" not in output


def test_every_rule_says_what_it_does(checkout: Checkout) -> None:
    listed = dict(re.findall(r"^(\w+)(?: \((.*)\))?$", checkout.succeed("--list-rules"), re.MULTILINE))
    assert set(RULES) < set(listed)
    said = [text for rule, text in listed.items() if rule != "default"]
    assert all(text.endswith(".") for text in said)
    # A rule that is like another has its own words.
    assert len(set(said)) == len(said)


def test_what_the_catalogue_of_workflows_shows() -> None:
    """The keys that it reads, and the files that it takes."""
    content = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))
    assert set(content) == {"usage"}
    assert set(content["usage"]) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(content["usage"]["mandatory-flags"]) == {"desc", "flags"}
    deployment = content["usage"]["software-stack-deployment"]
    assert deployment == {"conda": True, "apptainer": False, "apptainer+conda": False, "report": True}
    assert (ROOT / "workflow" / "Snakefile").is_file()
    assert (ROOT / "config" / "README.md").is_file()


def test_the_schema_of_a_laboratorys_configuration() -> None:
    """As the page has it: ours within theirs."""
    schema = (ROOT / "workflow" / "schemas" / "config.schema.json").as_uri()
    theirs = {"properties": {"anomalies": {"$ref": schema}}}
    from referencing import Registry, Resource

    def retrieve(uri: str) -> Resource[Any]:
        return Resource.from_contents(yaml.safe_load(Path(uri.removeprefix("file://")).read_text(encoding="utf-8")))

    validator = Draft202012Validator(theirs, registry=Registry(retrieve=retrieve))  # type: ignore[call-arg]
    assert validator.is_valid({"anomalies": TABLE})
    assert not validator.is_valid({"anomalies": {**TABLE, "sedes": 3}})


def test_a_path_begins_where_a_configuration_within_another_stands(tmp_path: Path) -> None:
    """The last file that states it, however deep; a value of the same name elsewhere is none of it."""
    write_rows(tmp_path / "data")
    for name, content in (("a", {"other": {"file": "../data/rows.csv"}}), ("b", {"lab": {"anomalies": TABLE}})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(yaml.safe_dump(content))
    config = load(TABLE, [tmp_path / "b" / "config.yaml", tmp_path / "a" / "config.yaml"])
    assert Path(config.datasets["rows"].file) == tmp_path / "data" / "rows.csv"  # type: ignore[union-attr]
