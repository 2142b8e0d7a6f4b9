"""Where a run's results come from: experiments, core hours, versions, archives and configuration, as tables."""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ocnn.report.rendering import Table, frame_table, literal
from ocnn.results.measurements import changed_versions, job_cost


def job_costs(folder: Path) -> pd.DataFrame:
    """Read all benchmark files below a folder: one row per job, with its rule, seconds and peak memory (MiB)."""
    files = sorted(folder.rglob("*.tsv"))
    rules = [path.relative_to(folder).parts[0].removesuffix(".tsv") for path in files]
    costs = pd.DataFrame([job_cost(path) for path in files], columns=["seconds", "peak_memory"], dtype=float)
    return costs.assign(rule=rules)


def worked(costs: pd.DataFrame) -> str:
    """Say how long the jobs of `job_costs` took together, or nothing where there is none."""
    seconds = float(costs["seconds"].sum())
    if seconds >= 3600:
        return f"{seconds / 3600:,.1f} hours"
    count, unit = (seconds / 60, "minute") if seconds >= 60 else (seconds, "second")
    return f"{count:.0f} {unit}{'s' if round(count) != 1 else ''}" if seconds else ""


def core_hours(costs: pd.DataFrame, threads: int) -> pd.DataFrame:
    """Sum up the jobs of `job_costs` by rule, and all of them.

    Returns:
        Columns rule, jobs, hours by the clock, core_hours, which are these times a job's `threads`, and the MiB of the
        largest job; without a row where there is no job.
    """
    jobs = costs.assign(hours=costs["seconds"] / 3600)
    summed = {"jobs": ("hours", "size"), "hours": ("hours", "sum"), "largest job, MiB": ("peak_memory", "max")}
    # One group of all jobs, or none where there is no job.
    both = [frame.groupby("rule", as_index=False).agg(**summed) for frame in (jobs, jobs.assign(rule="all"))]
    table = pd.concat(both, ignore_index=True)
    table.insert(3, "core_hours", threads * table["hours"])
    return table


def provenance_tables(
    experiments: Sequence[Mapping[str, str]],
    environments: Sequence[Mapping[str, Any]],
    costs: pd.DataFrame,
    machine: Mapping[str, str],
    archives: Sequence[tuple[str, str, str]],
    configuration: Mapping[str, Any],
) -> list[Table]:
    """Make the tables that say where results come from, those with rows.

    Args:
        experiments: one row each, among its columns `experiment`.
        environments: of `Collected.provenance`.
        costs: of `job_costs`.
        machine: what is known of the machine that writes this, by name.
        archives: name, checksum, and as what it was accepted.
        configuration: the whole of it, as it was run.
    """
    made_with = [
        {
            "experiment": environment["experiment"],
            "fits": environment["fits"],
            "backend of the deep methods or none": environment["backend"] or "none",
            "versions": ", ".join(f"{name} {value}" for name, value in environment["versions"].items()),
        }
        for environment in environments
    ]
    threads = int(configuration.get("threads", 1))
    changed = changed_versions(environments, [row["experiment"] for row in experiments])
    tables = [
        frame_table("Experiments", pd.DataFrame(experiments)),
        frame_table(
            "Core hours",
            core_hours(costs, threads),
            f"By the jobs' benchmark files in this folder: hours by the clock, and times {threads}, a job's threads.",
            decimals=3,
        ),
        frame_table("Versions that the fits were made with", pd.DataFrame(made_with), literal(changed)),
        frame_table("Machine that wrote this report", pd.DataFrame(machine.items(), columns=["what", "value"])),
        frame_table(
            "Archives",
            pd.DataFrame(archives, columns=["archive", "SHA-256", "accepted as"]),
            "As they are now. Official archives have the checksum of their publisher, known editions one that the"
            " reader knows; what a mirror vouches for itself may hold anything.",
        ),
        frame_table("Configuration", pd.DataFrame(_flattened(configuration), columns=["key", "value"])),
    ]
    return [table for table in tables if table.rows]


def _flattened(content: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, str]]:
    """Yield every key's path, and its value as text; an empty mapping is a value, which `json_normalize` would lose."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _flattened(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", str(value)


def commit() -> str:
    """Tell the commit of this checkout, and whether it was changed since, or that of this copy of one; else nothing."""
    root = Path(__file__).resolve().parents[2]
    stated = root / "COMMIT"
    if stated.is_file():
        return stated.read_text(encoding="utf-8").strip()
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    # What is installed within somebody else's checkout is not of its commit.
    alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    try:
        run = subprocess.run(command, cwd=root, env=alone, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"
    return run.stdout.strip()
