"""Jobs that are forked from a run's server make what they make by themselves."""

from pathlib import Path

import pandas as pd
import pytest

from tests.workflow.conftest import CONFIG, MEASURED, Checkout

pytestmark = pytest.mark.long

CODES = {"estimator": "kde", "input": "codes", "bandwidths": [1.0]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checkout]:
    """A run whose jobs are forked, and one in which each starts by itself."""
    found = {}
    for name, environment in {"forked": {}, "alone": {"OCNN_FORK": "0"}}.items():
        found[name] = Checkout(tmp_path_factory.mktemp(name))
        found[name].configure({**CONFIG, "seeds": 2, "methods": {**CONFIG["methods"], "kde_codes": CODES}})
        found[name].succeed(MEASURED, **environment)
    return found


def products(checkout: Checkout) -> dict[str, bytes]:
    """What splits, autoencoders and scores hold, by their paths."""
    folder = checkout.folder / "results"
    kinds = ("splits", "autoencoders", "scores")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for kind in kinds
        for path in (folder / kind).rglob("*")
        if path.is_file()
    }


def test_every_product_is_the_same_to_the_byte(runs: dict[str, Checkout]) -> None:
    forked, alone = (products(runs[name]) for name in ("forked", "alone"))
    assert len(forked) == 2 * (1 + 1 + 6)
    assert set(forked) == set(alone)
    assert [path for path in forked if forked[path] != alone[path]] == []


def log(checkout: Checkout) -> Path:
    return checkout.folder / "results" / "logs" / "fork_server.log"


def test_most_jobs_were_forked_and_none_refused(runs: dict[str, Checkout]) -> None:
    """The first ones do not wait for the server."""
    forked, refused = (int(text.split(":")[1]) for text in log(runs["forked"]).read_text().strip(".\n").split(". "))
    assert forked >= 3
    assert refused == 0
    assert not log(runs["alone"]).exists()


def test_memory_is_that_of_the_process_that_works(runs: dict[str, Checkout]) -> None:
    """Not that of the one that waits, which has 20 MiB."""
    for checkout in runs.values():
        for path in (checkout.folder / "results" / "benchmarks" / "fit").rglob("*.tsv"):
            peak = pd.read_csv(path, sep="\t")["max_rss"].item()
            assert peak > 100, path


def test_a_run_of_few_jobs_has_no_server(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.configure({**CONFIG, "methods": {"kde": {}}})
    checkout.succeed(MEASURED)
    assert not log(checkout).exists()
