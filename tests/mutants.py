"""Mutation testing: small faults are put into the numerical modules, one at a time, and their tests must fail.

    python -m tests.mutants [--only REGEX] [--draw N] [--trusted]

`mutants.toml` says which modules are mutated, by which tests each is judged, which faults are planted by name, and
which mutants cannot be told from the original by any result. The others are cosmic-ray's, drawn at random from a fixed
seed, together with two kinds of our own: a keyword argument that is left out, and a statement that is.

Each mutant runs in a process forked from one in which everything is imported already: that saves the seconds of a
start. It exists in that process's memory alone, and no file is changed. So tests that start a Python of their own
see the original. A mutant that exceeds its time counts as killed, and is listed.

Left out, since no number depends on them: annotations, decorators, texts, whatever is raised or printed, blocks for
type checkers, and the arguments `strict` of `zip`, `encoding`, `flush`, `indent` and `copy`.
"""

import argparse
import ast
import gc
import importlib
import importlib.machinery
import importlib.util
import inspect
import math
import os
import random
import re
import resource
import signal
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import parso
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator

from ocnn.steps.runtime import use_threads

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = Path(__file__).with_suffix(".toml")
#: cosmic-ray's operators: of each kind the nearest fault and the opposite one. Its others, such as a shift for a sum,
#: fail at once, and would only flatter the result.
OPERATORS = [
    *(f"core/ReplaceBinaryOperator_{pair}" for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Pow_Mul")),
    *(f"core/ReplaceBinaryOperator_{pair}" for pair in ("FloorDiv_Mul", "Mod_Mul", "BitOr_BitAnd", "BitAnd_BitOr")),
    *(f"core/ReplaceComparisonOperator_{pair}" for pair in ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Eq_NotEq")),
    *(f"core/ReplaceComparisonOperator_{pair}" for pair in ("Lt_GtE", "LtE_Gt", "Gt_LtE", "GtE_Lt", "NotEq_Eq")),
    *(f"core/ReplaceComparisonOperator_{pair}" for pair in ("Is_IsNot", "IsNot_Is")),
    *(f"core/ReplaceUnaryOperator_{pair}" for pair in ("USub_UAdd", "Delete_Invert", "Delete_Not")),
    *(f"core/{name}" for name in ("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr")),
    *(f"core/{name}" for name in ("ReplaceOrWithAnd", "AddNot", "NumberReplacer", "ZeroIterationForLoop")),
]
#: Exit status of a process whose tests all passed, of one that broke, and of one that could not take its mutant.
SURVIVED, BROKEN, UNPREPARED = 0, 2, 99
OPTIONS = ["-x", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT)]
#: Seconds of the processor that a mutant has in any case.
LIMIT = 20
#: By how much a process may take longer than its processor's time, on a machine that has other work.
WAIT = 20

Span = tuple[tuple[int, int], tuple[int, int]]


class DropKeyword(Operator):
    """Leaves out a keyword argument of a call, so that its default holds."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """Find the keyword arguments of a call with several arguments."""
        if node.type == "arglist" and node.parent.type == "trailer":
            for child in self._keywords(node):
                yield child.start_pos, child.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Take out one of them, with its comma."""
        place = node.children.index(self._keywords(node)[index])
        del node.children[place : place + 2]
        return node

    @staticmethod
    def _keywords(node: Any) -> list[Any]:
        return [child for child in node.children if child.type == "argument" and child.children[1] == "="]

    @classmethod
    def examples(cls) -> Sequence[Any]:
        """Show none; cosmic-ray's own tests ask for them."""
        return ()


class DropStatement(Operator):
    """Replaces a call whose value is not used, or an assignment to a part of something, by `pass`."""

    def mutation_positions(self, node: Any) -> Iterator[Span]:
        """Find the statement."""
        if node.type == "simple_stmt" and self._does_something(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """Replace it."""
        first = node.children[0]
        node.children[0] = parso.python.tree.Keyword("pass", first.start_pos, first.get_first_leaf().prefix)
        return node

    @staticmethod
    def _does_something(statement: Any) -> bool:
        if statement.type == "expr_stmt":
            target = statement.children[0]
            operator = getattr(statement.children[1], "value", "")
            return target.type in ("atom_expr", "power") or (operator.endswith("=") and operator != "=")
        return statement.type in ("atom_expr", "power")

    @classmethod
    def examples(cls) -> Sequence[Any]:
        """Show none; cosmic-ray's own tests ask for them."""
        return ()


@dataclass(frozen=True)
class Mutant:
    """A module with one fault.

    path: of the module, from the root.
    kind: name of the operator, or of the planted fault.
    line: number of the first line that differs.
    before, after: the lines that differ, without their indentation.
    source: of the whole module.
    """

    path: str
    kind: str
    line: int
    before: str
    after: str
    source: str

    @property
    def module(self) -> str:
        """Its name for `import`."""
        return self.path.removesuffix(".py").replace("/", ".")

    def __str__(self) -> str:
        return f"{self.path}:{self.line} [{self.kind}] {self.before} → {self.after or '(nothing)'}"


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: `killed`, `survived` or `timed out`; by which test; and the processor's seconds."""

    status: str
    by: str
    seconds: float


def main() -> int:
    """Run the mutants of `mutants.toml`; return 1 where one survived that is not explained there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", metavar="REGEX", help="mutate modules whose path matches")
    parser.add_argument("--draw", type=int, metavar="N", help="mutants per module, in place of what mutants.toml says")
    parser.add_argument("--trusted", action="store_true", help="do not run the tests without a mutant first")
    arguments = parser.parse_args()
    settings = tomllib.loads(SETTINGS.read_text(encoding="utf-8"))
    explained = {(e["module"], e["before"], e["after"]): e["why"] for e in settings.get("explained", [])}
    for path, before, _ in explained:
        if before not in " ".join((ROOT / path).read_text(encoding="utf-8").split()):
            raise SystemExit(f"{path} no longer holds {before!r}, a mutant of which is explained.")
    planted = [fault for fault in settings["planted"] if re.search(arguments.only, fault["module"])]
    chosen = {path: tests for path, tests in settings["modules"].items() if re.search(arguments.only, path)}
    work = [(plant(fault), fault.get("tests") or chosen[fault["module"]]) for fault in planted]
    for path, tests in chosen.items():
        source = (ROOT / path).read_text(encoding="utf-8")
        drawn = draw(path, source, settings["draw"] if arguments.draw is None else arguments.draw, settings["seed"])
        print(f"{path}: {len(drawn)} mutants of {len(sites_of(source))} places", flush=True)
        work += [(mutant, tests) for mutant in drawn]
    run = Run(work, trusted=arguments.trusted)
    for mutant, tests in work:
        run.judge(mutant, tests)
    return run.report(explained)


class Run:
    """Judges mutants one after the other, each in a process forked from this one, and reports them.

    Args:
        work: mutants and the tests that judge each. All are imported once.
        trusted: whether the tests pass without a mutant, which is tried else.
    """

    def __init__(self, work: Iterable[tuple[Mutant, Sequence[str]]], *, trusted: bool) -> None:
        self.outcomes: dict[Mutant, Outcome] = {}
        self.trusted = trusted
        self.limits: dict[tuple[str, ...], float] = {}
        work = list(work)
        import_everything({mutant.module for mutant, _ in work}, {test for _, tests in work for test in tests})
        # What there is to take a mutant's code, by file.
        self.functions: dict[str, list[FunctionType]] = {}
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and thing.__code__.co_filename.startswith(str(ROOT / "ocnn")):
                self.functions.setdefault(thing.__code__.co_filename, []).append(thing)
        gc.freeze()

    def judge(self, mutant: Mutant, tests: Sequence[str]) -> None:
        """Run the tests of a mutant, for at most a few times what they take without it."""
        limit = self._limit(tests)
        outcome, changed = None, bodies_changed(mutant)
        if changed is not None:
            functions = self.functions.get(str(ROOT / mutant.path), [])
            outcome = run_tests(partial(replace_bodies, functions, changed), tests, limit=limit)
        # Importing everything again takes a second or two, but nothing can escape it that happens at import.
        if outcome is None or outcome.status in ("survived", "unprepared"):
            outcome = run_tests(partial(import_again, mutant), tests, limit=limit)
        self.outcomes[mutant] = outcome
        print(f"  {outcome.status:9} {outcome.seconds:5.1f} s  {mutant}  {outcome.by}", flush=True)

    def _limit(self, tests: Sequence[str]) -> float:
        """Seconds of the processor that a mutant has."""
        key = tuple(tests)
        if key not in self.limits:
            whole = Outcome("survived", "", LIMIT) if self.trusted else run_tests(None, tests, limit=20 * LIMIT)
            if whole.status != "survived":
                raise SystemExit(f"Without any mutant {whole.by} fails: {' '.join(tests)}")
            self.limits[key] = LIMIT + 2 * whole.seconds
        return self.limits[key]

    def report(self, explained: dict[tuple[str, str, str], str]) -> int:
        """Print the numbers, the survivors and what took too long."""
        counts = Counter(outcome.status for outcome in self.outcomes.values())
        total, killed = len(self.outcomes), counts["killed"] + counts["timed out"]
        unexplained = 0
        for mutant, outcome in self.outcomes.items():
            if outcome.status == "killed":
                continue
            why = explained.get((mutant.path, mutant.before, mutant.after), "")
            unexplained += outcome.status == "survived" and not why
            print(f"{outcome.status}: {mutant}" + (f"\n    {why}" if why else ""))
        uncollected = sum(outcome.by.startswith(("import", "exit status 2")) for outcome in self.outcomes.values())
        share, equivalent = 100 * killed / max(1, total), counts["survived"] - unexplained
        print(f"{killed} of {total} mutants killed, {share:.1f} %; {counts['timed out']} of them by their time,")
        print(f"{uncollected} at import. {counts['survived']} survived, {unexplained} of these without explanation.")
        told = 100 * killed / max(1, total - equivalent)
        print(
            f"Without the {equivalent} that are explained, as no result can tell them from the original: {told:.1f} %."
        )
        return int(unexplained > 0)


def import_everything(modules: Iterable[str], tests: Iterable[str]) -> None:
    """Import these modules and tests, and silence whatever that prints. TensorFlow computes nothing before a fork."""
    use_threads(1)
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(ROOT / ".pytest_cache" / "mutants")
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    with open(os.devnull, "w") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
        pytest.main([*OPTIONS, "--collect-only", *sorted(test for test in tests if not test.startswith("-"))])
        for module in modules:
            importlib.import_module(module)
    if "keras" in sys.modules:
        importlib.import_module("tensorflow")
    gc.collect()


def sites_of(source: str) -> list[tuple[str, Operator, int]]:
    """Find where a module can be mutated, apart from what is left out by rule: operators, and which time they apply."""
    tree, left_out = get_ast(source), list(spans_left_out(source))
    operators: list[tuple[str, Operator]] = [(name.split("/")[1], get_operator(name)()) for name in OPERATORS]
    sites = []
    for kind, operator in [*operators, ("DropKeyword", DropKeyword()), ("DropStatement", DropStatement())]:
        positions = [(node, *span) for node in ast_nodes(tree) for span in operator.mutation_positions(node)]
        for occurrence, (node, start, end) in enumerate(positions):
            # A parameter list's own * and / look like operators.
            in_parameters = node.parent is not None and node.parent.type == "parameters"
            if not in_parameters and not any(first <= start and end <= last for first, last in left_out):
                sites.append((kind, operator, occurrence))
    return sites


def draw(path: str, source: str, count: int, seed: int) -> list[Mutant]:
    """Draw so many mutants of a module that are Python, in the order of their lines."""
    drawn: dict[str, Mutant] = {}
    sites = sites_of(source)
    for kind, operator, occurrence in random.Random(seed).sample(sites, len(sites)):
        if len(drawn) == count:
            break
        mutated = mutate_code(source, operator, occurrence)
        if mutated is not None and mutated not in {source, *drawn} and compiles(mutated):
            drawn[mutated] = described(path, kind, source, mutated)
    return sorted(drawn.values(), key=lambda mutant: mutant.line)


def described(path: str, kind: str, source: str, mutated: str) -> Mutant:
    """Say which lines of a module a mutation changes."""
    old, new = source.splitlines(), mutated.splitlines()
    first = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    end = 0
    while end < min(len(old), len(new)) - first and old[-1 - end] == new[-1 - end]:
        end += 1
    before, after = (" ".join(" ".join(lines[first : len(lines) - end]).split()) for lines in (old, new))
    return Mutant(path, kind, first + 1, before, after, mutated)


def plant(fault: dict[str, Any]) -> Mutant:
    """Make a named fault: `before` stands in the module once, and is replaced by `after`."""
    source = (ROOT / fault["module"]).read_text(encoding="utf-8")
    if source.count(fault["before"]) != 1:
        raise SystemExit(
            f"{fault['module']} holds {fault['before']!r} {source.count(fault['before'])} times, not once."
        )
    mutated = source.replace(fault["before"], fault["after"])
    return described(fault["module"], f"planted: {fault['name']}", source, mutated)


def compiles(source: str) -> bool:
    """Say whether this is Python."""
    try:
        compile(source, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def spans_left_out(source: str) -> Iterable[Span]:
    """Find the places no number depends on, each as (line, column) of its start and end, in characters."""
    lines = source.splitlines()

    def span(node: Any) -> Span:
        start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
        return tuple((n, len(lines[n - 1].encode()[:column].decode())) for n, column in (start, end))  # type: ignore[return-value]

    for node in ast.walk(ast.parse(source)):
        parts: list[Any] = []
        match node:
            case ast.JoinedStr() | ast.Raise():
                parts = [node]
            case ast.Call(func=ast.Name("print" | "Diagnosis")):
                parts = [node]
            case ast.If(test=ast.Name("TYPE_CHECKING")):
                parts = [node]
            # That two sequences are of one length is asserted, and always so; the others decide no value.
            case ast.keyword(arg="strict" | "encoding" | "flush" | "indent" | "copy"):
                parts = [node]
            case ast.FunctionDef():
                parts = [node.returns, *node.decorator_list]
            case ast.ClassDef():
                parts = list(node.decorator_list)
            case ast.arg() | ast.AnnAssign():
                parts = [node.annotation]
        yield from (span(part) for part in parts if part is not None)


class MutantFinder(importlib.machinery.SourceFileLoader):
    """Finds and loads the mutated module, by its source in memory."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(ROOT / mutant.path))
        self.mutant = mutant

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find that one module."""
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, fullname: str) -> CodeType:
        """Compile it; no file of bytecode is read or written."""
        return compile(self.mutant.source, self.path, "exec", dont_inherit=True)


def bodies_changed(mutant: Mutant) -> dict[CodeType, CodeType] | None:
    """Pair the code of functions with the mutant's, where it differs; None if more than bodies of functions do."""
    codes = ((ROOT / mutant.path).read_text(encoding="utf-8"), mutant.source)
    original, mutated = (compile(code, str(ROOT / mutant.path), "exec", dont_inherit=True) for code in codes)
    changed = {code: other for code, other in pairs(original, mutated) if code != other}
    for code, other in changed.items():
        if not code.co_flags & inspect.CO_NEWLOCALS and run_at_import(code) != run_at_import(other):
            return None
    return changed


def replace_bodies(functions: Iterable[FunctionType], changed: dict[CodeType, CodeType]) -> None:
    """Give functions the other code."""
    for function in functions:
        if function.__code__ in changed:
            function.__code__ = changed[function.__code__]  # ValueError if a closure has other variables


def import_again(mutant: Mutant) -> None:
    """Forget this package and the tests, so that whoever needs them imports them with the mutant."""
    for name in [name for name in sys.modules if name.split(".")[0] in ("ocnn", "tests")]:
        del sys.modules[name]
    sys.meta_path.insert(0, MutantFinder(mutant))


def pairs(a: CodeType, b: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Go over the code of two modules and of what they define, in step."""
    yield a, b
    inner = ([constant for constant in code.co_consts if isinstance(constant, CodeType)] for code in (a, b))
    for one, other in zip(*inner, strict=False):
        yield from pairs(one, other)


def run_at_import(code: CodeType) -> tuple[Any, ...]:
    """What a module's or class's body does itself, apart from the functions that it defines."""
    constants = [c for c in code.co_consts if not isinstance(c, CodeType) or c.co_name.startswith("<")]
    return code.co_code, code.co_names, [c if isinstance(c, CodeType) else repr(c) for c in constants]


class FirstFailure:
    """Notes the first test that fails, for whoever reads the other end of a pipe."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test."""
        if report.failed:
            os.write(self.pipe, f"{report.nodeid}\n".encode())

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be imported."""
        if report.failed:
            os.write(self.pipe, f"import of {report.nodeid}\n".encode())


def run_tests(prepare: Callable[[], None] | None, tests: Sequence[str], *, limit: float) -> Outcome:
    """Run tests in a forked process until one fails.

    Args:
        prepare: puts a mutant into the process, if there is to be one.
        tests: files, or tests in them, from the root.
        limit: seconds of the processor after which the process is ended; of waiting for others it may take more.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(limit), math.ceil(limit)))
        status = UNPREPARED
        try:
            if prepare is not None:
                prepare()
            status = BROKEN
            status = int(pytest.main([*OPTIONS, *tests], plugins=[FirstFailure(writing)]))
        finally:
            os._exit(status)
    os.close(writing)
    status, seconds = wait(process, time.monotonic() + WAIT * limit)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        by = pipe.readline().strip()
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return Outcome("timed out", by, seconds)
    name = {SURVIVED: "survived", UNPREPARED: "unprepared"}.get(status, "killed")
    return Outcome(name, by or f"exit status {status}", seconds)


def wait(process: int, until: float) -> tuple[int, float]:
    """Wait for a process, and end it when its time is over; return its exit status and its processor's seconds."""
    while True:
        done, status, usage = os.wait4(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
        if time.monotonic() > until:
            os.killpg(process, signal.SIGKILL)
        time.sleep(0.02)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
