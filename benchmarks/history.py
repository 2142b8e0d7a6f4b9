"""A page of all records that the scripts wrote on this machine: what each measured, commit by commit.

python -m benchmarks.history [--folder build/benchmarks] [--output build/benchmarks/index.html]

Numbers of one machine in one row can be compared, those of two cannot, but for ratios of two things that were timed
side by side. A commit that ends in `-dirty` was measured with changes of its own.
"""

import argparse
import json
from io import StringIO
from pathlib import Path
from typing import Any

import jinja2
import matplotlib as mpl
import pandas as pd

from benchmarks._record import RECORDS

mpl.use("svg")
import matplotlib.pyplot as plt

#: A figure of more lines than this shows nothing.
LINES = 12

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Benchmarks over commits</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1c; }
div { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; }
th, td { border: 1px solid #ccc; padding: 0.2rem 0.5rem; text-align: right; white-space: nowrap; }
th { background: #f2f2f2; }
svg { max-width: 100%; height: auto; }
</style>
<h1>Benchmarks over commits</h1>
<p>{{ records }} records of {{ scripts|length }} scripts. Compare numbers of one machine; ratios of two things that were
timed side by side say something across machines, too.</p>
{% for script in scripts %}
<h2>{{ script.name }}</h2>
{% for series in script.series %}
<p><code>python -m benchmarks.{{ script.name }}{{ series.arguments }}</code>, {{ series.machine }}</p>
<div>{{ series.table|safe }}</div>
{{ series.figure|safe }}
{% endfor %}
{% endfor %}
</html>
"""


def read_records(folder: Path) -> pd.DataFrame:
    """Read every followed number.

    Returns:
        Columns script, arguments, machine, what, number (its name), date, commit, value; one row per number.

    Raises:
        SystemExit: a file is no record.
    """
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*/*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            about = {name: record[name] for name in ("script", "machine", "date", "commit")}
            about["arguments"] = spelled(record["arguments"])
            for table in record["tables"]:
                for row in table["rows"]:
                    what = ", ".join(str(row[name]) for name in table["by"])
                    # A ladder may end early: then there is no number.
                    found = {name: row[name] for name in table["followed"] if isinstance(row.get(name), int | float)}
                    rows += [{**about, "what": what, "number": name, "value": value} for name, value in found.items()]
        except (ValueError, LookupError, TypeError) as error:
            raise SystemExit(f"{path} is no record of a benchmark: {error!r}") from error
    columns = ["script", "arguments", "machine", "what", "number", "date", "commit", "value"]
    return pd.DataFrame(rows, columns=columns)


def spelled(arguments: dict[str, Any]) -> str:
    """Arguments as they are typed, but for those that were not given."""
    words = []
    for name, value in arguments.items():
        if value is None or value is False:
            continue
        values = value if isinstance(value, list) else [] if value is True else [value]
        words += [f" --{name.replace('_', '-')}", *(f" {item}" for item in values)]
    return "".join(words)


def over_commits(rows: pd.DataFrame) -> pd.DataFrame:
    """Spread the numbers of one series: one row per number, one column per run, the earliest first."""
    runs = rows.assign(run=[f"{date[:10]} {commit}" for date, commit in zip(rows["date"], rows["commit"], strict=True)])
    # Of a commit that was measured twice in a day the median.
    wide = runs.pivot_table(index=["what", "number"], columns="run", values="value", aggfunc="median", sort=False)
    return wide[list(dict.fromkeys(runs.sort_values("date", kind="stable")["run"]))]


def drawn(wide: pd.DataFrame) -> str:
    """Draw the numbers of a series as lines, as SVG; nothing of a single run, nor of too many numbers."""
    if len(wide.columns) < 2 or len(wide) > LINES:
        return ""
    figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
    for name, values in zip(wide.index, wide.to_numpy(), strict=True):
        axes.plot(range(len(values)), values, marker="o", label=": ".join(name))
    axes.set_xticks(range(len(wide.columns)), [str(run).replace(" ", "\n") for run in wide.columns], fontsize=8)
    axes.set_ylim(bottom=0)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    text = StringIO()
    figure.savefig(text, format="svg")
    plt.close(figure)
    return text.getvalue()[text.getvalue().index("<svg") :]


def page(records: pd.DataFrame) -> str:
    """Write the page, one section per script, and in it one table per machine and arguments."""
    scripts = []
    for name, of_script in records.groupby("script"):
        series = []
        for (arguments, machine), rows in of_script.groupby(["arguments", "machine"]):
            wide = over_commits(rows)
            table = (
                wide.rename_axis(columns=None)
                .reset_index()
                .to_html(index=False, na_rep="–", float_format="{:.3g}".format)
            )
            series.append({"arguments": arguments, "machine": machine, "table": table, "figure": drawn(wide)})
        scripts.append({"name": name, "series": series})
    count = records[["script", "date", "commit"]].drop_duplicates().shape[0]
    # Tables and figures escape their texts themselves.
    return jinja2.Environment(autoescape=True).from_string(PAGE).render(scripts=scripts, records=count)


def main() -> None:
    """Reads, writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=RECORDS)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    records = read_records(arguments.folder)
    if records.empty:
        raise SystemExit(f"There is no record in {arguments.folder}: run a script of benchmarks/ first.")
    output = arguments.output or arguments.folder / "index.html"
    output.write_text(page(records), encoding="utf-8")
    print(output)


if __name__ == "__main__":
    main()
