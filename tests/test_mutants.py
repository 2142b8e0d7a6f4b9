"""That mutants.toml speaks of what is there: otherwise `make test-mutants` ends at once, for whichever module."""

import tomllib

import pytest

from ocnn.data import DATASETS, load_dataset
from ocnn.methods import METHODS
from tests.conftest import ROOT

SETTINGS = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))


def test_the_modules_and_their_tests_are_there() -> None:
    named = {test.removeprefix("--deselect=") for tests in SETTINGS["modules"].values() for test in tests}
    assert len(named) > 50
    for path in [*SETTINGS["modules"], *(test.partition("::")[0] for test in named if not test.startswith("-"))]:
        assert (ROOT / path).is_file(), path
    for test in named:
        path, _, function = test.partition("::")
        if function:
            assert f"def {function.partition('[')[0].rpartition('::')[2]}(" in (ROOT / path).read_text(), test


def module_of(path: str) -> str:
    """The file of a registered object."""
    return path.partition(":")[0].replace(".", "/") + ".py"


NUMERICAL = [
    *(module_of(path) for path in METHODS.values()),
    *(module_of(path) for path in DATASETS.values() if not load_dataset(path).archives),
    *(f"ocnn/networks/losses/{path.name}" for path in (ROOT / "ocnn/networks/losses").glob("[!_]*.py")),
]


@pytest.mark.parametrize("module", NUMERICAL)
def test_every_method_loss_and_small_data_set_has_its_mutants(module: str) -> None:
    assert module in SETTINGS["modules"], "name the tests that judge its mutants in tests/mutants.toml"


def words(text: str) -> str:
    """The text in one line, as a statement that is explained stands in mutants.toml."""
    return " ".join(text.split())


def test_what_is_explained_or_planted_is_there() -> None:
    for fault in [*SETTINGS["explained"], *SETTINGS["planted"]]:
        assert words(fault["before"]) in words((ROOT / fault["module"]).read_text(encoding="utf-8")), fault
