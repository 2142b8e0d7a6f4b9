"""The files of published results that the configuration names, and the names that are to be found in them."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ocnn.config.sources import read_or_fault
from ocnn.config.validation import Validated, nearest
from ocnn.errors import ResultError
from ocnn.results.frames import read_frame
from ocnn.results.measurements import schema
from ocnn.results.metrics import EVALUATIONS
from ocnn.results.published import claimed_methods, read_claims, read_published, read_runs, read_texts

#: Other labs' results cannot have these names, which the tables use.
RESERVED_REFERENCES = (*EVALUATIONS, "published")


def with_published(read: Validated, root: Path | None) -> Validated:
    """Return the configuration with each file of published results from `root` where the working directory has none."""

    def found(path: Any) -> Any:
        if isinstance(path, list | tuple):
            return type(path)(map(found, path))
        if path is None or root is None or Path(path).is_file() or not (root / path).is_file():
            return path
        return os.path.relpath(root / path)

    published = read.config.published
    update = {key: found(getattr(published, key)) for key in published.model_fields_set}
    return replace(read, config=read.config.model_copy(update={"published": published.model_copy(update=update)}))


def published_faults(read: Validated) -> list[str]:
    """Name the files of published results that cannot be read, and names that are to be found in them and are not."""
    config, files = read.config, read.config.published
    faults: list[str] = []

    def contents(key: str, reader: Callable[[Path], Any], path: str) -> Any:
        """What a file holds; None, and a fault, if it cannot be read."""
        content, fault = read_or_fault(Path(path), reader)
        faults.extend([f"{key}: {fault}"] if fault else [])
        return content

    for path in files.auc:
        contents("published.auc", lambda path: read_published([path]), path)
    for key, texts in (("data", files.data), ("networks", files.networks)):
        if texts is not None:
            contents(f"published.{key}", read_texts, texts)
    if files.runs is not None:
        contents("published.runs", read_runs, files.runs)
    claims = [] if files.claims is None else contents("published.claims", read_claims, files.claims)
    unreadable = bool(faults)
    if config.compare is not None:
        contents("compare", lambda path: read_frame(path, schema()), config.compare)
    for name, path in config.references.items():
        contents(f"references.{name}", lambda path: read_published([path]), path)
        if name in RESERVED_REFERENCES:
            faults.append(f"references.{name}: is a column of the tables already; choose another name")
    if unreadable or not read.knows((), "published"):
        return faults
    try:
        published = read_published(Path(path) for path in files.auc)
    except ResultError as error:
        return [*faults, f"published.auc: {error}"]
    datasets = list(dict.fromkeys([*published["dataset"], *(claim.dataset for claim in claims)]))
    methods = list(dict.fromkeys(published["method"]))
    named = [
        *((f"methods.{row}.published", block.published) for row, block in config.methods.items()),
        *((f"claim {claim.name}", method) for claim in claims for method in claimed_methods(claim) if methods),
    ]
    faults += [
        f"{path}: no published method {name!r}{nearest(name, methods)}"
        for path, name in named
        if name is not None and name not in methods
    ]
    faults += [
        f"experiments.{name}.published: no published dataset {block.published!r}{nearest(block.published, datasets)}"
        for name, block in config.experiments.items()
        if block.published is not None and block.published not in datasets
    ]
    return faults
