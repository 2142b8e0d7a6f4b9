"""A whole run to read."""

import pytest

from tests.results.simulated import Run, simulated_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A simulated run and all that is made from it; only to be read."""
    return simulated_run(tmp_path_factory.mktemp("simulated"))
