"""The minutes left in the bars of a terminal."""

from types import SimpleNamespace

import pytest
from rich.console import Console
from snakemake_logger_plugin_rich.handler import RichLogHandler

from ocnn.steps.progress import ALL_JOBS, MinutesLeft


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [
        (0, 60, ""),
        (1, 60, "about 9 min left"),
        (4, 61, "about 2 min left"),
        (2, 1800, "about 2 h 0 min left"),
        (10, 60, ""),
    ],
)
def test_jobs_that_are_left_take_as_long_as_the_others_did(done: int, seconds: float, said: str) -> None:
    settings = SimpleNamespace(dryrun=False, printshellcmds=False, show_failed_logs=False, verbose=False)
    bars = RichLogHandler(settings).progress
    now = 100.0
    bars.get_time = lambda: now
    bars.columns = (*bars.columns, MinutesLeft())
    for name in (ALL_JOBS, "fit"):
        bars.add_task(name, total=10, active=1)
    now += seconds
    for task in bars.tasks:
        bars.update(task.id, completed=done)
    assert [column.render(bars.tasks[0]).plain for column in bars.columns[-1:]] == [said]
    console = Console(width=120)
    with console.capture() as shown:
        console.print(bars.get_renderable())
    assert shown.get().count("min left") == bool(said)
