"""What a run is to show, named from its plan (`Config.plan`) alone, so that naming a table costs no import of a plot.

A plan is JSON: the rules hand it to the jobs that make tables, figures and the report.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import product
from typing import Any

FIGURE_SUFFIXES = (".svg", ".png")
TABLE_SUFFIXES = (".csv", ".md", ".tex", ".html")


def grid_fits(grid: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The fits of a grid, in the order of the tables: experiment, normal class, method, seed.

    Args:
        grid: for each experiment the lists `normal`, `method` and `seed`, all of whose combinations are fits.
    """
    return [
        {"experiment": experiment, "normal": normal, "method": method, "seed": seed}
        for experiment, axes in grid.items()
        for normal, method, seed in product(axes["normal"], axes["method"], axes["seed"])
    ]


def unordered(plan: Mapping[str, Any], follow_keys: Collection[str]) -> dict[str, Any]:
    """The plan without what the order of the configuration's keys decides in it: the order of rows and columns.

    Args:
        plan: see `Config.plan`.
        follow_keys: the experiments whose methods stand in the order of the configuration's `methods`.
    """
    experiments = {
        name: {**block, "method": sorted(block["method"]) if name in follow_keys else block["method"]}
        for name, block in sorted(plan["experiments"].items())
    }
    return {**plan, "experiments": experiments, "methods": dict(sorted(plan["methods"].items()))}


def attacked(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The experiments on adversarial images, and their `attack`, `steps` and `held_out`."""
    return {name: block["attack"] for name, block in plan["experiments"].items() if block["attack"]}


def table_files(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """The files of each table, by its name, under the folder of results.

    Args:
        plan: see `Config.plan`.
    """
    names = ["table1", "table2"]
    if len(attacked(plan)) < len(plan["experiments"]):
        names.append("table3")
    if attacked(plan):
        names.append("table4")
    files = {name: [f"tables/{file}" for file in _formats(name)] for name in names}
    # As many lines as there are cells: nothing to print.
    files["verdicts"] = [f"tables/{file}" for file in _formats("verdicts") if not file.endswith(".tex")]
    files["comparison"] = ["tables/comparison.md", "tables/comparison.html", "tables/differences.csv"]
    files["claims"] = _formats("claims")
    return files


def published_files(plan: Mapping[str, Any]) -> list[str]:
    """Every file of published results."""
    published = plan["published"]
    singles = [published[name] for name in ("data", "networks", "claims")]
    return [*published["auc"], *plan["references"].values(), *(path for path in singles if path)]


def _formats(name: str) -> list[str]:
    return [f"{name}{suffix}" for suffix in TABLE_SUFFIXES]


def comparison_names(plan: Mapping[str, Any]) -> list[str]:
    """The figures that come from measurements: `kind/experiment`, or `kind`."""
    names = []
    for experiment, block in plan["experiments"].items():
        kinds = ["auc", "cost", "training"]
        if block["contaminated_and_tested"]:
            kinds.append("gap")
        if len(block["normal"]) > 1 and len(block["method"]) > 2:
            kinds += ["ranks", "differences"]
        names += [f"{kind}/{experiment}" for kind in kinds]
    attacks = attacked(plan).values()
    variants = {(block["attack"], block["held_out"], block["steps"]) for block in attacks}
    if len(variants) > len({variant[:2] for variant in variants}):
        names.append("attack_strength")
    return names


def sample_names(plan: Mapping[str, Any]) -> list[str]:
    """The figures that come from the first seed's score files: `kind/experiment` or `kind/experiment/method`.

    Of experiments on one attack that differ in its steps alone, the one to be compared with the paper, else the first,
    has its extremes drawn.
    """
    names = []
    chosen: dict[tuple[str, bool], str] = {}
    for name, block in attacked(plan).items():
        key = (block["attack"], block["held_out"])
        if key not in chosen or (plan["experiments"][name]["published"] and not _published(plan, chosen[key])):
            chosen[key] = name
    for experiment, block in plan["experiments"].items():
        if len(block["normal"]) == 1:
            names.append(f"decision_scores/{experiment}")
        if block["attack"] is None and block["images"]:
            names += [f"in_class/{experiment}/{method}" for method in block["method"]]
        elif experiment in chosen.values():
            names += [f"extremes/{experiment}/{method}" for method in block["method"]]
    return names


def _published(plan: Mapping[str, Any], experiment: str) -> Any:
    return plan["experiments"][experiment]["published"]


def figure_files(names: Iterable[str]) -> list[str]:
    """The files of these figures, under the folder of figures."""
    return [f"{name}{suffix}" for name in names for suffix in FIGURE_SUFFIXES]
