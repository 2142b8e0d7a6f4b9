"""Fingerprints: comments and docstrings do not count, code that is reached does, and nothing else."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from ocnn.steps import fingerprint as module
from ocnn.steps.fingerprint import fingerprint

FILES = {
    "__init__.py": "",
    "losses.py": (
        '"""Losses."""\nFACTOR = 2\n\ndef one(x):\n    """One."""\n    return FACTOR * x\n\n\n'
        "def two(x):\n    return x + 2\n"
    ),
    "base.py": "class Base:\n    def fit(self):\n        return self.step()\n",
    "first.py": (
        "from PKG import losses\nfrom PKG.base import Base\n\n\nclass First(Base):\n"
        "    def step(self):\n        return losses.one(1)\n"
    ),
    "second.py": (
        "from PKG.base import Base\n\n\nclass Second(Base):\n    def step(self):\n"
        "        from PKG.losses import two as other\n\n        return other(1)\n"
    ),
    "registry.py": 'METHODS = {"first": "PKG.first:First"}\n',
}
COUNTER = itertools.count()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of two methods, under a name that no earlier test imported."""
    name = f"fingerprinted{next(COUNTER)}"
    folder = tmp_path / name
    folder.mkdir()
    for file, content in FILES.items():
        (folder / file).write_text(content.replace("PKG", name))
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def prints(package: Path) -> tuple[str, str]:
    module._module.cache_clear()
    return fingerprint(f"{package.name}.first:First"), fingerprint(f"{package.name}.second:Second")


@pytest.mark.parametrize(
    ("file", "old", "new", "first_changes", "second_changes"),
    [
        ("losses.py", "return FACTOR", "# why\n    return FACTOR", False, False),
        ("losses.py", '"""One."""', '"""Number one,\n    at length."""', False, False),
        ("losses.py", "FACTOR * x", "(FACTOR  *  x)", False, False),
        ("losses.py", "FACTOR * x", "FACTOR * x**2", True, False),
        ("losses.py", "FACTOR = 2", "FACTOR = 3", True, False),
        ("losses.py", "x + 2", "x + 3", False, True),
        ("base.py", "self.step()", "-self.step()", True, True),
        ("first.py", "losses.one(1)", "losses.two(1)", True, False),
        ("registry.py", "}", ', "third": "PKG.third:Third"}', False, False),
    ],
)
def test_what_changes_a_fingerprint(
    package: Path, file: str, old: str, new: str, first_changes: bool, second_changes: bool
) -> None:
    before = prints(package)
    path = package / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    after = prints(package)
    assert [a != b for a, b in zip(before, after, strict=True)] == [first_changes, second_changes]


def test_methods_of_this_package_do_not_hang_together() -> None:
    """A method's fingerprint reaches its own loss, not another method's, nor the registries."""
    found = {}
    for target in ("ocnn.methods.ocnn:OneClassNN", "ocnn.methods.deep_svdd:DeepSVDD", "ocnn.methods.kde:KDE"):
        seen: set[tuple[str, str]] = set()
        pending = [("ocnn.steps.fit", "fit_method"), (target.split(":")[0], target.split(":")[1])]
        while pending:
            item = pending.pop()
            if item not in seen and module._source(*item) is not None:
                seen.add(item)
                pending += module._references(*item, frozenset({"ocnn"}))
        found[target.split(":")[1]] = {f"{m}:{n}" for m, n in seen}
    assert "ocnn.networks.losses:one_class_nn" in found["OneClassNN"] - found["DeepSVDD"] - found["KDE"]
    assert "ocnn.networks.losses:one_class_deep_svdd" in found["DeepSVDD"] - found["OneClassNN"]
    assert "ocnn.results.scores:write_scores" in found["KDE"]
    assert "ocnn.networks.training:train" in found["OneClassNN"] & found["DeepSVDD"]
    assert not any(name.endswith((":METHODS", ":DATASETS")) for names in found.values() for name in names)


def test_an_unknown_target_is_an_error() -> None:
    with pytest.raises(LookupError, match="nothing_of_the_kind"):
        fingerprint("ocnn.networks.losses:nothing_of_the_kind")


def test_no_module_is_imported_to_find_its_code() -> None:
    """Planning a run must not cost the seconds that importing Keras takes."""
    code = (
        "import sys\nfrom ocnn.steps.fingerprint import fingerprint\nfrom ocnn.methods import METHODS\n"
        "[fingerprint('ocnn.steps.fit:fit_method', path) for path in METHODS.values()]\n"
        "print([name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
