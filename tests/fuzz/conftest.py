"""How much is fuzzed, and what a reader may ask for."""

import os
import resource
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

#: For each reader.
INPUTS = int(os.environ.get("OCNN_FUZZ", "100"))
#: Bytes beyond what the tests hold already, and how long one input may take on a slow machine.
MEMORY, TIME = 2**31, timedelta(seconds=20)


@pytest.fixture(autouse=True)
def _bounded_memory() -> Iterator[None]:
    """A reader that asks for too much gets a MemoryError, which is none of the documented errors; on Linux."""
    statm = Path("/proc/self/statm")
    if not statm.is_file():
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    held = int(statm.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
