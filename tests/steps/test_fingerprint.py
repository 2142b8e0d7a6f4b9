"""Fingerprints: whatever alters a result changes them, and what cannot does not."""

import ast
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ocnn.methods import METHODS, load_estimator
from ocnn.steps import fingerprint as module
from ocnn.steps.fingerprint import fingerprint
from ocnn.steps.source import dumped
from tests.conftest import ROOT

SHALLOW = {name for name in METHODS if not load_estimator(name).trains_network}
COUNTER = itertools.count()

#: A method of a user's, in modules that lie flat in a folder, with every way in which Python reaches other code.
FLAT = {
    "METHOD.py": '''"""A method."""
import json
import os
import warnings
from pathlib import Path

import HELPERS
import HELPERS as renamed
import SPEAKING
import TALKING
import DOCUMENTED
from BASE import Base
from STARRED import *
from FUNCTIONS import factor, decorate

try:
    from FAST import kernel
except ImportError:
    from SLOW import kernel

if json.__name__ == "json":
    from CONDITIONAL import branch

LIMIT = 3
TABLE = {"one": lambda x: x + 1}
STEPS = []
STEPS.append(LIMIT)
TABLE["two"] = lambda x: x + 2
kernel = decorate(kernel)


class Method(Base):
    threshold = 0.5

    def __init__(self, width=2):
        self.width = width

    def fit(self, X: list) -> "Method":
        """Fits."""
        if not X:
            raise ValueError(f"No samples, got {len(X)}.")
        print(f"fitting {len(X)}")
        assert X, f"{width} and {X.sort()} samples"
        print(f"{X.pop()} was the last", "and {this}", end="")
        warnings.warn(f"few samples, {len(X)}")
        constants = json.loads((Path(__file__).parent / "CONSTANTS.json").read_text())
        self.mean_ = getattr(HELPERS, "mean")(X) * factor(2) + starred(1) + branch() + constants["a"]
        return self

    def late(self):
        import LATE
        from importlib import import_module

        rows = [(Path(__file__).parent / "CONSTANTS" / "A.csv").read_text()]
        rows += [Path(os.path.dirname(__file__), "CONSTANTS", "B.csv").read_text()]
        rows += [open(os.path.join("CONSTANTS", "C.csv")).read()]
        return LATE.value() + import_module("NAMED").value() + renamed.mean([1])


@decorate
def chosen(x: int) -> int:
    return x
''',
    "HELPERS.py": "from DEEPER import scale\n\n\ndef mean(X):\n    return scale * sum(X) / len(X)\n",
    "DEEPER.py": "scale = 1\nscale = scale + 1\n",
    "BASE.py": "class Base:\n    order = 1\n\n    def score(self):\n        return self.order\n",
    "STARRED.py": "def starred(x):\n    return x + 1\n",
    "FUNCTIONS.py": "REGISTRY = {}\n\n\ndef decorate(f):\n    REGISTRY[f.__name__] = f\n    return f\n\n\n"
    "def factor(x, *, by=3):\n    return x * by\n\n\ndef unused():\n    return 1\n",
    "FAST.py": "def kernel(x):\n    return x\n",
    "SLOW.py": "def kernel(x):\n    return 1 * x\n",
    "CONDITIONAL.py": "def branch():\n    return 4\n",
    "LATE.py": "def value():\n    return 5\n",
    "NAMED.py": "def value():\n    return 6\n",
    "CONSTANTS.json": '{"a": 7}\n',
    "CONSTANTS/A.csv": "1,2\n",
    "CONSTANTS/B.csv": "3,4\n",
    "CONSTANTS/C.csv": "5,6\n",
    "SPEAKING.py": "def print(text):\n    SAID.append(text)\n\n\nSAID = []\nprint('of its own')\n",
    "TALKING.py": "import HELPERS as warnings\n\nwarnings.warn('not heard')\nwarnings.other.warn('nor this')\n",
    "DOCUMENTED.py": 'def f():\n    """3 words here."""\n\n\nCOUNT = f.__doc__.split()\n',
    "STRANGER.py": "x = 1\n",
}


class Laboratory:
    """A folder of a user's modules, under names that no earlier test imported."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.folder, self.suffix = folder, f"_{next(COUNTER)}"
        self.names = sorted({re.split(r"[./]", name)[0] for name in files}, key=len, reverse=True)
        for file, content in files.items():
            path = folder / self.named(file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.named(content))

    def named(self, text: str) -> str:
        for name in self.names:
            if name.isupper():
                text = text.replace(name, name.lower() + self.suffix)
        return text

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / self.named(file)
        old, new = self.named(old), self.named(new)
        assert old in path.read_text(), (old, path.read_text())
        path.write_text(path.read_text().replace(old, new))

    def print_of(self, target: str) -> str:
        module.forget()
        return fingerprint(self.named(target))


@pytest.fixture
def flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laboratory:
    monkeypatch.syspath_prepend(tmp_path)
    return Laboratory(tmp_path, FLAT)


#: What changes a result: file, old text, new text.
CHANGES = [
    ("METHOD.py", "self.mean_ = getattr", "self.mean_ = 2 * getattr"),
    ("METHOD.py", "LIMIT = 3", "LIMIT = 4"),
    ("METHOD.py", "threshold = 0.5", "threshold = 0.6"),
    ("METHOD.py", "width=2", "width=3"),
    ("METHOD.py", "lambda x: x + 1}", "lambda x: x + 3}"),
    ("METHOD.py", 'TABLE["two"] = lambda x: x + 2', 'TABLE["two"] = lambda x: x + 9'),
    ("METHOD.py", "STEPS.append(LIMIT)", "STEPS.append(LIMIT + 1)"),
    ("METHOD.py", "kernel = decorate(kernel)", "kernel = decorate(abs)"),
    ("METHOD.py", 'json.__name__ == "json"', 'json.__name__ != "json"'),
    ("METHOD.py", '"mean")(X)', '"median")(X)'),
    ("METHOD.py", "if not X:", "if len(X) < 2:"),
    ("METHOD.py", "raise ValueError", "raise KeyError"),
    ("METHOD.py", "class Method(Base)", "class Method(object)"),
    ("METHOD.py", "from FUNCTIONS import factor, decorate", "from FUNCTIONS import unused as factor, decorate"),
    ("METHOD.py", "from CONDITIONAL import branch", "from STARRED import starred as branch"),
    ("METHOD.py", 'constants["a"]', 'constants["b"]'),
    ("METHOD.py", 'print(f"fitting {len(X)}")', "X.append(0)"),
    ("HELPERS.py", "sum(X)", "max(X)"),
    ("HELPERS.py", "scale * sum", "sum"),
    ("DEEPER.py", "scale = 1\n", "scale = 2\n"),
    ("DEEPER.py", "scale = scale + 1\n", ""),
    ("BASE.py", "order = 1", "order = 2"),
    ("BASE.py", "return self.order", "return -self.order"),
    ("STARRED.py", "x + 1", "x + 2"),
    ("FUNCTIONS.py", "x * by", "x + by"),
    ("FUNCTIONS.py", "by=3", "by=4"),
    ("FUNCTIONS.py", "return f\n", "return lambda x: 2 * f(x)\n"),
    ("FUNCTIONS.py", "REGISTRY = {}", "REGISTRY = {'kernel': abs}"),
    ("FAST.py", "return x", "return -x"),
    ("SLOW.py", "1 * x", "2 * x"),
    ("CONDITIONAL.py", "return 4", "return 5"),
    ("LATE.py", "return 5", "return 6"),
    ("NAMED.py", "return 6", "return 7"),
    ("CONSTANTS.json", "7", "8"),
    ("CONSTANTS/A.csv", "1,2", "2,1"),
    ("CONSTANTS/B.csv", "3,4", "4,3"),
    ("CONSTANTS/C.csv", "5,6", "6,5"),
    ("METHOD.py", "{X.pop()} was", "{X[-1]} was"),
    ("METHOD.py", "{X.sort()} samples", "{X.clear()} samples"),
    ("METHOD.py", 'print(f"{X.pop()} was the last", "and {this}", end="")', 'print(end="")'),
    ("METHOD.py", "samples, {len(X)}", "samples, {X.pop()}"),
    ("METHOD.py", "No samples, got {len(X)}", "No samples, got {X.append(1)}"),
    ("METHOD.py", "def chosen(x: int)", "def chosen(x: float)"),
    ("SPEAKING.py", "of its own", "of its"),
    ("TALKING.py", "not heard", "heard"),
    ("TALKING.py", "nor this", "this"),
    ("DOCUMENTED.py", "3 words here", "4 words are here"),
]
#: What does not.
NOTHINGS = [
    ("METHOD.py", "LIMIT = 3", "LIMIT = 3  # why"),
    ("METHOD.py", '"""Fits."""', '"""Fits the method,\n\n        at length.\n        """'),
    ("METHOD.py", '"""A method."""', '"""Another text."""'),
    ("METHOD.py", "X: list) -> ", "X: tuple) -> "),
    ("METHOD.py", ' -> "Method"', ""),
    ("METHOD.py", "LIMIT = 3", "LIMIT: int = 3"),
    ("METHOD.py", "self.width = width", "self.width: int = width"),
    ("METHOD.py", "No samples, got", "There are no samples, got"),
    ("METHOD.py", "fitting {len(X)}", "now fitting {len(X)} samples"),
    ("METHOD.py", "LIMIT = 3", "LIMIT  =  (3)"),
    ("METHOD.py", "was the last", "went last"),
    ("METHOD.py", "and {this}", "or {that}"),
    ("METHOD.py", "few samples, {", "too few samples: {"),
    ("HELPERS.py", "\n\n\ndef mean", "\n\n\n\n\ndef mean"),
    ("STRANGER.py", "x = 1", "x = 2"),
    ("METHOD.py", "import json\n", "import json\nfrom collections.abc import Mapping, Sequence\n"),
    ("METHOD.py", "LIMIT = 3", "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import numpy\nLIMIT = 3"),
    ("HELPERS.py", "return scale", 'print("now")\n    return scale'),
]


@pytest.mark.parametrize(("file", "old", "new"), CHANGES, ids=[f"{file}: {new}" for file, _, new in CHANGES])
def test_what_alters_a_result_changes_the_fingerprint(flat: Laboratory, file: str, old: str, new: str) -> None:
    before = flat.print_of("METHOD:Method")
    flat.edit(file, old, new)
    assert flat.print_of("METHOD:Method") != before


@pytest.mark.parametrize(("file", "old", "new"), NOTHINGS, ids=[f"{file}: {new}" for file, _, new in NOTHINGS])
def test_what_alters_nothing_does_not(flat: Laboratory, file: str, old: str, new: str) -> None:
    before = flat.print_of("METHOD:Method")
    flat.edit(file, old, new)
    assert flat.print_of("METHOD:Method") == before


#: A class after whatever a module does before.
CLASS = "\n\nclass Method:\n    pass\n"
#: More ways in which code and data are reached: files, then a file, an old and a new text, by which a result changes.
WAYS: dict[str, tuple[dict[str, str], str, str, str]] = {
    "a package that `from package.module` runs": (
        {"METHOD.py": f"from PARTS.sub import f{CLASS}", "PARTS/__init__.py": "X = 1\n", "PARTS/sub.py": "f = 1\n"},
        *("PARTS/__init__.py", "X = 1", "X = 2"),
    ),
    "a package that a relative import runs": (
        {
            "METHOD.py": f"import PARTS{CLASS}",
            "PARTS/__init__.py": "from .inner.deep import f\n",
            "PARTS/inner/__init__.py": "X = 1\n",
            "PARTS/inner/deep.py": "f = 1\n",
        },
        *("PARTS/inner/__init__.py", "X = 1", "X = 2"),
    ),
    "a module that a relative text names": (
        {
            "METHOD.py": f"import PARTS{CLASS}",
            "PARTS/__init__.py": "from importlib import import_module\n\nimport_module('.plug', __name__)\n",
            "PARTS/plug.py": "X = 1\n",
        },
        *("PARTS/plug.py", "X = 1", "X = 2"),
    ),
    "what a module reaches that is run by its path": (
        {
            "METHOD.py": f"import runpy\n\nrunpy.run_path('FIRST.py'){CLASS}",
            "FIRST.py": "import SECOND\n",
            "SECOND.py": "import THIRD\n",
            "THIRD.py": "X = 1\n",
        },
        *("THIRD.py", "X = 1", "X = 2"),
    ),
    "a name from the one or the other statement": (
        {
            "METHOD.py": f"try:\n    from FIRST import f\nexcept ImportError:\n    from FIRST import g as f, h{CLASS}",
            "FIRST.py": "f = g = h = 1\n",
        },
        *("METHOD.py", "f\nexcept ImportError:\n    from FIRST import g as f, h", ""),
    ),
    "a folder and a file in two statements": (
        {
            "METHOD.py": f"from pathlib import Path\n\nD = Path(__file__).parent / 'DATA'\nX = D / 'a.csv'\n{CLASS}",
            "DATA/a.csv": "1\n",
        },
        *("DATA/a.csv", "1", "2"),
    ),
    "a path in an f-string": (
        {"METHOD.py": f"HERE = '.'\nX = open(f'{{HERE}}/DATA/a.csv'){CLASS}", "DATA/a.csv": "1\n"},
        *("DATA/a.csv", "1", "2"),
    ),
    "what is printed into a file": (
        {"METHOD.py": f"print('0.5', file=open('weights', 'w')){CLASS}"},
        *("METHOD.py", "0.5", "0.6"),
    ),
    "what is printed and caught": (
        {"METHOD.py": f"import io\nimport sys\n\nsys.stdout = io.StringIO()\nprint('0.5'){CLASS}"},
        *("METHOD.py", "0.5", "0.6"),
    ),
    "a constant called as that of type checkers": (
        {"METHOD.py": f"TYPE_CHECKING = True\nif TYPE_CHECKING:\n    X = 1{CLASS}"},
        *("METHOD.py", "X = 1", "X = 2"),
    ),
    "a docstring that is read": (
        {"METHOD.py": f"import inspect\n\n\ndef f():\n    'one'\n\n\nX = inspect.getdoc(f){CLASS}"},
        *("METHOD.py", "'one'", "'two'"),
    ),
    "annotations that are read": (
        {"METHOD.py": f"def f(x: int):\n    pass\n\n\nX = f.__annotations__{CLASS}"},
        *("METHOD.py", "x: int", "x: float"),
    ),
    "an annotation that runs": ({"METHOD.py": f"X: (Y := 1) = 2{CLASS}"}, "METHOD.py", "Y := 1", "Y := 2"),
    "annotations by which a class is made": (
        {"METHOD.py": f"from pydantic import BaseModel\n\n\nclass Model(BaseModel):\n    x: int = '1'{CLASS}"},
        *("METHOD.py", "x: int", "x: float"),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_other_ways_to_reach_code_and_data(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    files, file, old, new = WAYS[way]
    laboratory = Laboratory(tmp_path, files)
    before = laboratory.print_of("METHOD:Method")
    laboratory.edit(file, old, new or "f, g as f\nexcept ImportError:\n    from FIRST import h")
    assert laboratory.print_of("METHOD:Method") != before


#: Two files each that are exchanged, and how they are reached: by imports, by texts, by modules that say the same.
EXCHANGED: dict[str, tuple[str, str, str]] = {
    "modules": (f"import FIRST\nimport SECOND\n\nX = FIRST.X - SECOND.X{CLASS}", "FIRST.py", "SECOND.py"),
    "modules that texts name": (f"NAMES = ['FIRST', 'SECOND']{CLASS}", "FIRST.py", "SECOND.py"),
    "modules behind others": (f"from THIRD import X\nfrom FOURTH import X as Y{CLASS}", "FIRST.py", "SECOND.py"),
    "data": (f"X = [open(name) for name in ('FIRST.csv', 'SECOND.csv')]{CLASS}", "FIRST.csv", "SECOND.csv"),
    "modules that are run": (f"NAMES = ['FIRST.py', 'SECOND.py']{CLASS}", "FIRST.py", "SECOND.py"),
}


@pytest.mark.parametrize("kind", EXCHANGED)
def test_two_files_that_are_exchanged(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    method, *pair = EXCHANGED[kind]
    files = {"METHOD.py": method, "THIRD.py": "from FIRST import X\n", "FOURTH.py": "from SECOND import X\n"}
    laboratory = Laboratory(tmp_path, {**files, pair[0]: "X = 1\n", pair[1]: "X = 2\n"})
    before = laboratory.print_of("METHOD:Method")
    laboratory.edit(pair[0], "1", "2")
    laboratory.edit(pair[1], "2", "1")
    assert laboratory.print_of("METHOD:Method") != before


def test_two_files_of_a_package_that_are_exchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    laboratory = Laboratory(tmp_path, {**PACKAGE, "PACKAGE/other.bin": "0124"})
    before = laboratory.print_of("PACKAGE.method:Method")
    laboratory.edit("PACKAGE/weights.bin", "0123", "0124")
    laboratory.edit("PACKAGE/other.bin", "0124", "0123")
    assert laboratory.print_of("PACKAGE.method:Method") != before


def test_of_two_modules_of_one_name_both_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python takes the one that is first in `sys.path`, which need not be the folder of the module that imports it."""
    first, second = tmp_path / "first", tmp_path / "second"
    monkeypatch.syspath_prepend(second)
    monkeypatch.syspath_prepend(first)
    laboratory = Laboratory(second, {"METHOD.py": f"import HELPERS{CLASS}", "HELPERS.py": "X = 1\n"})
    shutil.copytree(second, first, ignore=shutil.ignore_patterns("method*"))
    prints = [laboratory.print_of("METHOD:Method")]
    for folder in (first, second):
        (folder / laboratory.named("HELPERS.py")).write_text("X = 2\n")
        prints.append(laboratory.print_of("METHOD:Method"))
    assert len(set(prints)) == 3


def rename(old: str, new: str) -> Callable[[Laboratory], None]:
    """Renames a module and mends the imports of it."""

    def change(laboratory: Laboratory) -> None:
        (laboratory.folder / laboratory.named(f"{old}.py")).rename(laboratory.folder / f"{new}.py")
        for path in laboratory.folder.glob("*.py"):
            path.write_text(path.read_text().replace(laboratory.named(old), new))

    return change


@pytest.mark.parametrize("old", ["BASE", "STARRED", "FUNCTIONS", "DEEPER", "CONDITIONAL"])
def test_a_renamed_module_changes_nothing(flat: Laboratory, old: str) -> None:
    before = flat.print_of("METHOD:Method")
    rename(old, f"moved{flat.suffix}")(flat)
    assert flat.print_of("METHOD:Method") == before


def test_a_name_taken_from_another_module_that_counts_as_well_is_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    files = {
        "METHOD.py": "from FIRST import f\nimport SECOND\n\n\nclass Method:\n    g = f\n",
        "FIRST.py": "def f():\n    return 1\n",
        "SECOND.py": "def f():\n    return 2\n",
    }
    laboratory = Laboratory(tmp_path, files)
    before = laboratory.print_of("METHOD:Method")
    laboratory.edit("METHOD.py", "from FIRST import f\nimport SECOND", "from SECOND import f\nimport FIRST")
    assert laboratory.print_of("METHOD:Method") != before


#: A package of somebody else's: every file of it counts, reached or not.
PACKAGE = {
    "PACKAGE/__init__.py": "OPTION = 1\n",
    "PACKAGE/method.py": (
        "from . import losses\nfrom .parts.deep import depth\n\n\nclass Method:\n    loss = losses.one\n"
    ),
    "PACKAGE/losses.py": "def one(x):\n    return x\n",
    "PACKAGE/parts/__init__.py": "",
    "PACKAGE/parts/deep.py": "from ..losses import one\n\ndepth = one(3)\n",
    "PACKAGE/plugins.py": "found = 1\n",
    "PACKAGE/weights.bin": "0123",
}


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        ("PACKAGE/__init__.py", "OPTION = 1", "OPTION = 2", True),
        ("PACKAGE/losses.py", "return x", "return -x", True),
        ("PACKAGE/parts/deep.py", "one(3)", "one(4)", True),
        ("PACKAGE/plugins.py", "found = 1", "found = 2", True),
        ("PACKAGE/weights.bin", "0123", "0124", True),
        ("PACKAGE/plugins.py", "found = 1", "found = 1  # why", False),
    ],
)
def test_a_package_counts_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str, changes: bool
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    laboratory = Laboratory(tmp_path, PACKAGE)
    before = laboratory.print_of("PACKAGE.method:Method")
    laboratory.edit(file, old, new)
    assert (laboratory.print_of("PACKAGE.method:Method") != before) == changes


def test_what_a_package_reaches_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From modules that nothing imports, by modules in between, and behind links to folders."""
    monkeypatch.syspath_prepend(tmp_path)
    reached = {"FLAT.py": "import NEXT\n", "NEXT.py": "import LAST\n", "LAST.py": "x = 1\n", "ELSEWHERE/w.bin": "0\n"}
    files = {**PACKAGE, "PACKAGE/plugins.py": "import FLAT\n", **reached}
    laboratory = Laboratory(tmp_path, files)
    (tmp_path / laboratory.named("PACKAGE") / "data").symlink_to(tmp_path / laboratory.named("ELSEWHERE"))
    (tmp_path / laboratory.named("PACKAGE") / "template.py").write_text("{{ no Python }\n")
    prints = [laboratory.print_of("PACKAGE.method:Method")]
    for file, old, new in [
        ("LAST.py", "x = 1", "x = 2"),
        ("ELSEWHERE/w.bin", "0", "1"),
        ("PACKAGE/template.py", "n", "N"),
    ]:
        laboratory.edit(file, old, new)
        prints.append(laboratory.print_of("PACKAGE.method:Method"))
    assert len(set(prints)) == 4


def test_an_installed_package_counts_by_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site-packages"
    monkeypatch.syspath_prepend(site)
    laboratory = Laboratory(site, PACKAGE)
    before = laboratory.print_of("PACKAGE.method:Method")
    laboratory.edit("PACKAGE/plugins.py", "found = 1", "found = 1  # another release")
    assert laboratory.print_of("PACKAGE.method:Method") != before


def test_what_an_installer_put_into_a_folder_is_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of `pip install --target`, or a cluster's modules on PYTHONPATH; what else stands there is the user's own."""
    monkeypatch.syspath_prepend(tmp_path)
    method = "import LIBRARY, HELPERS\nclass Method:\n    pass\n"
    laboratory = Laboratory(tmp_path, {"METHOD.py": method, "LIBRARY/__init__.py": "x = 1\n", "HELPERS.py": "x = 1\n"})
    record = tmp_path / "anything-1.0.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text(f"{laboratory.named('LIBRARY')}/__init__.py,,\nanything-1.0.dist-info/RECORD,,\n")
    before = laboratory.print_of("METHOD:Method")
    laboratory.edit("LIBRARY/__init__.py", "x = 1", "x = 2")
    assert laboratory.print_of("METHOD:Method") == before
    laboratory.edit("HELPERS.py", "x = 1", "x = 2")
    assert laboratory.print_of("METHOD:Method") != before


#: How a user's method takes a class of this package → what then counts of it.
IMPORTS = {
    "from ocnn.methods.kde import KDE": {"methods/kde.py"},
    "from ocnn.methods import KDE": {"methods/kde.py"},
    "from ocnn.data import Dataset": {"data/dataset.py"},
    "import ocnn.methods.kde as kde": {"methods/kde.py"},
    "from ocnn import methods": {"methods/__init__.py", "methods/kde.py", "methods/ocnn.py"},
    "from ocnn.methods import load_estimator": {"methods/__init__.py", "methods/kde.py", "methods/ocnn.py"},
    "import ocnn": {"methods/__init__.py", "methods/kde.py", "methods/ocnn.py"},
}


@pytest.mark.parametrize("statement", IMPORTS)
def test_what_a_users_method_takes_from_this_package(
    statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a class is found when it is asked for. What names every method counts where all of it is taken."""
    monkeypatch.syspath_prepend(tmp_path)
    laboratory = Laboratory(tmp_path, {"METHOD.py": f"{statement}{CLASS}"})
    module.forget()
    watched = {"methods/__init__.py", "methods/kde.py", "methods/ocnn.py", "data/__init__.py", "data/dataset.py"}
    found = {file for file in reached(laboratory.named("METHOD:Method")) if file in watched}
    assert found == IMPORTS[statement]


def test_importing_a_wing_does_nothing_that_could_alter_a_number() -> None:
    """Its `__init__.py` counts only for who takes something from it; so it binds names, and does no more."""
    for path in module.PACKAGE.rglob("__init__.py"):
        for node in ast.parse(path.read_text()).body:
            documents = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            checks = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            binds = isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
            names = isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets)
            assert documents or checks or binds or names, f"{path}, line {node.lineno}"


def reached(*targets: str) -> set[str]:
    """The modules of this package that count for these objects."""
    pending = [module._find(target.partition(":")[0], None) for target in targets]
    seen: set[Path] = set()
    while pending:
        path = pending.pop()
        if path is not None and path not in seen:
            seen.add(path)
            pending += module._module(path).modules
    return {str(path.relative_to(module.PACKAGE)) for path in seen if path.is_relative_to(module.PACKAGE)}


def test_methods_of_this_package_do_not_hang_together() -> None:
    """A method's fingerprint reaches its own loss, not another method's, nor registries or the configuration."""
    of = {name: reached("ocnn.steps.fit:fit_method", path) for name, path in METHODS.items()}
    for name, path in METHODS.items():
        own = path.partition(":")[0].replace(".", "/").removeprefix("ocnn/") + ".py"
        others = {other for other in METHODS if own in of[other]}
        # The autoencoder is in every method that starts from it; OC-NN as released is a kind of Deep SVDD.
        allowed = {"dcae": set(METHODS), "deep_svdd": {"soft_deep_svdd", "deep_svdd", "ocnn_released"}}
        assert others <= allowed.get(name, {name}), (name, others)
        assert not {"methods/__init__.py", "data/__init__.py", "__init__.py"} & of[name]
        assert not any(file.startswith(("config/", "report/", "data/formats", "attacks/")) for file in of[name])
    assert "networks/losses/ocnn.py" in of["ocnn"] - of["deep_svdd"] - of["kde"]
    assert "networks/losses/deep_svdd.py" in of["deep_svdd"] - of["ocnn"]
    assert not any(file.startswith("networks/") for name in SHALLOW for file in of[name])
    assert {"storage/arrays.py", "data/splits.py", "results/scores.py", "methods/base.py"} <= of["kde"]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this package, whose fingerprints are taken."""
    shutil.copytree(ROOT / "ocnn", tmp_path / "ocnn", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def prints_of(folder: Path) -> dict[str, str]:
    """The fingerprints of a copy of this package: of every method's fit, and of the other steps."""
    code = (
        "from ocnn.steps.fingerprint import fingerprint\nfrom ocnn.methods import METHODS\nimport json\n"
        "run = 'ocnn.steps.__main__:run'\n"
        "found = {name: fingerprint(run, 'ocnn.steps.fit:fit_method', path) for name, path in METHODS.items()}\n"
        "found['autoencoder'] = fingerprint(run, 'ocnn.steps.pretrain:pretrain')\n"
        "found['split'] = fingerprint(run, 'ocnn.steps.split:make_split')\n"
        "found['images'] = fingerprint(run, 'ocnn.steps.images:prepare_images', 'ocnn.data.digits:DIGITS')\n"
        "print(json.dumps(found))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return dict(json.loads(run.stdout))


ALL = {*METHODS, "autoencoder", "split", "images"}
FITS = set(METHODS)
DEEP = FITS - SHALLOW


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("storage/files.py", "Make room on its disk", "Make some room on its disk", set()),
        ("networks/training.py", "verbose: int = 0,", "verbose: bool = 0,", set()),
        ("networks/losses/ocnn.py", "/ nu - r", "/ nu - 2 * r", {"ocnn"}),
        ("networks/losses/gan.py", "ops.softplus(generated)", "2 * ops.softplus(generated)", {"anogan"}),
        ("networks/losses/deep_svdd.py", "axis=1", "axis=-1", {"deep_svdd", "soft_deep_svdd"}),
        ("networks/models/dcgan.py", "stddev=0.02", "stddev=0.03", {"anogan"}),
        ("networks/models/classifier.py", "layers.Dense(128", "layers.Dense(64", set()),
        ("methods/kde.py", "0.5 / np.square", "0.4 / np.square", {"kde"}),
        ("data/digits.py", "random_state=0", "random_state=1", {"images"}),
        ("data/splits.py", "spawn(3)", "spawn(4)", FITS | {"autoencoder", "split"}),
        ("steps/runtime.py", '"TF_DETERMINISTIC_OPS"] = "1"', '"TF_DETERMINISTIC_OPS"] = "0"', ALL),
        ("report/rendering.py", 'MISSING = "–"', 'MISSING = "-"', set()),
        ("config/schema.py", "import os\n", "import os\nimport re\n", set()),
    ],
)
def test_a_change_of_this_package_concerns_what_it_can_alter(
    own: Path, file: str, old: str, new: str, changed: set[str]
) -> None:
    before = prints_of(own)
    path = own / "ocnn" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    after = prints_of(own)
    assert {name for name in ALL if before[name] != after[name]} == changed


def test_a_module_of_this_package_that_moves_changes_nothing(own: Path) -> None:
    before = prints_of(own)
    (own / "ocnn" / "methods" / "gaussian.py").rename(own / "ocnn" / "networks" / "kernels.py")
    for path in own.rglob("*.py"):
        path.write_text(path.read_text().replace("ocnn.methods.gaussian", "ocnn.networks.kernels"))
    assert prints_of(own) == before


def test_another_version_of_python_refits_nothing() -> None:
    """As of any library, its version stands in the score file. Python 3.12 and 3.13 dump more, and less, than 3.11."""
    arguments = "arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])"
    function = f"FunctionDef(name='f', args={arguments}, body=[Pass()], decorator_list=[])"
    expected = f"Module(body=[{function}], type_ignores=[])"
    assert dumped(ast.parse("def f(): pass")) == expected


def test_an_unknown_module_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"ocnn\.nothing"):
        fingerprint("ocnn.nothing:of_the_kind")


def test_no_module_is_imported_to_find_its_code() -> None:
    """Planning a run must not cost the seconds that importing Keras takes."""
    code = (
        "import sys\nfrom ocnn.steps.fingerprint import fingerprint\nfrom ocnn.methods import METHODS\n"
        "[fingerprint('ocnn.steps.fit:fit_method', path) for path in METHODS.values()]\n"
        "print([name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
