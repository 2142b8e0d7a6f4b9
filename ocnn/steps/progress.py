"""The minutes left, in the bars that `snakemake-logger-plugin-rich` shows in a terminal."""

from math import ceil

from rich.progress import ProgressColumn, Task
from rich.text import Text

#: What the plugin calls the bar of all jobs. The others, one per rule, count from the start of the run, too, whenever
#: the first job of the rule is.
ALL_JOBS = "Total Progress"


class MinutesLeft(ProgressColumn):
    """How long the jobs that are left take, if they take as long as those that are done did on average.

    It is rough: jobs differ, and those that run count as not begun. Nothing is said before the first is done.
    """

    def render(self, task: Task) -> Text:
        """Say it of the bar of all jobs, in minutes, rounded up."""
        if task.description != ALL_JOBS or task.finished or not task.completed or not task.elapsed:
            return Text()
        hours, minutes = divmod(ceil(task.elapsed / task.completed * (task.remaining or 0) / 60), 60)
        return Text(f"about {f'{hours} h ' if hours else ''}{minutes} min left", style="progress.remaining")
