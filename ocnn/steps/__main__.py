"""Run one step: `python -m ocnn.steps JOB FILES`, both JSON.

JOB is what `ocnn.steps.jobs.Job.text` writes: the function; the objects, settings and places that it is called with;
what its product states of these. An object with `arguments` is what the function at its path makes of them. FILES has
`inputs` and `outputs`, a path or a list of paths by role, and `others`, which count as inputs but are found by a place.
The function is called with all of these by name, and with `recipe` if it takes one. A product that cannot hold its
recipe has it beside it: the output `stated`.

What a job imports, a million objects with TensorFlow, lives until the process ends. Python's garbage collector would
look through all of it during the imports and once more at the end, a quarter of a short job's time: so it starts when
the work does, and is told at the end that nothing is garbage. Where the run has a server, the job runs in a process
forked from that, which has imported all of it (`ocnn.steps.fork_server`).
"""

import gc

gc.disable()

import atexit  # noqa: E402  (the garbage collector first)
import inspect  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from collections.abc import Mapping, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402
from pkgutil import resolve_name  # noqa: E402
from typing import Any  # noqa: E402

from ocnn.steps.forked import leave, run_forked  # noqa: E402


def run(job: Mapping[str, Any], files: Mapping[str, Any]) -> None:
    """Run a step in this process; see the module for the arguments."""
    from ocnn.errors import OcnnError
    from ocnn.steps.runtime import state_environment, use_threads

    state_environment()
    use_threads(job["threads"])
    try:
        call = _prepared(job, files)
        gc.enable()
        call()
    except OcnnError as error:
        sys.exit(f"error: {error}")


def _prepared(job: Mapping[str, Any], files: Mapping[str, Any]) -> Any:
    """The call of the step, everything imported that it names."""
    from ocnn.storage.json_files import write_json
    from ocnn.storage.recipes import digests_of

    kinds = ("inputs", "outputs", "others")
    inputs, outputs, others = ({role: _paths(value) for role, value in files[kind].items()} for kind in kinds)
    stated = outputs.pop("stated", None)
    folder = (stated or _flat(outputs)[0]).parent
    function = resolve_name(job["function"])
    objects = {role: resolve_name(path) for role, path in job["objects"].items()}
    # A place with wildcards is a pattern.
    places = {role: value if "{" in value else _paths(value) for role, value in job["places"].items()}

    def call() -> None:
        settings = {**job["settings"], **job["stated"]}
        digests = digests_of([*_flat(inputs), *_flat(others)], folder)
        recipe = {"code": job["code"], "settings": settings, "inputs": digests}
        told = {"recipe": recipe} if "recipe" in inspect.signature(function).parameters else {}
        made = {role: objects[role](**arguments) for role, arguments in job["arguments"].items()}
        function(**{**objects, **made}, **inputs, **outputs, **job["settings"], **places, **told)
        if stated is not None:
            write_json(stated, {"recipe": recipe})

    return call


def _paths(value: Any) -> Any:
    return [Path(path) for path in value] if isinstance(value, list) else Path(value)


def _flat(files: Mapping[str, Any]) -> list[Path]:
    return [path for value in files.values() for path in (value if isinstance(value, list) else [value])]


def main(arguments: Sequence[str]) -> None:
    """Run a step in this process, which does nothing else."""
    # Whatever the locale is: a job's log is UTF-8.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    atexit.register(gc.freeze)
    job, files = map(json.loads, arguments)
    run(job, files)


if __name__ == "__main__":
    status = run_forked(sys.argv[1:])
    if status is None:
        main(sys.argv[1:])
    else:
        leave(status)
