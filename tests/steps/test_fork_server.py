"""Jobs in processes that are forked from a server: they do what they do by themselves, and end when they should."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from ocnn.steps.forked import SERVER, SOCKET
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")

STEP = '''"""A step of a test."""
import json
import os
import signal
import sys
import time

import numpy as np

from ocnn.errors import DataError


def step(product, *, number, wait=None):
    print("größer")
    print("Warnung: äh", file=sys.stderr)
    if number == -1:
        raise DataError("-1 is below 0.")
    if number == -2:
        raise RuntimeError("a fault of ours")
    if number == -3:
        os._exit(3)
    if number < -3:
        os.kill(os.getpid(), -number)
    content = {
        "parent": os.getppid(),
        "folder": os.getcwd(),
        "mine": os.environ.get("MINE"),
        "threads": os.environ["OMP_NUM_THREADS"],
        "random": np.random.random(),
        "signals": [signal.getsignal(name) is expected for name, expected in
                    ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL))],
        "optimised": sys.flags.optimize,
        "main": sys.modules["__main__"].__spec__.name,
        "arguments": sys.argv[1:],
        "unbuffered": sys.stdout.write_through,
        "standard input": sys.stdin and os.fstat(0).st_mode,
    }
    if wait is not None:
        with open(wait, "w") as file:
            file.write(str(os.getpid()))
        while os.path.exists(wait):
            time.sleep(0.02)
    product.write_text(json.dumps(content))
'''


#: What decides something here must be said by a test.
UNWANTED = ("OMP_", "OPENBLAS_", "PYTHONUNBUFFERED")


class Run:
    """A folder with the step, a server and what asks it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.server_folder = folder, folder / "server"
        self.server_folder.mkdir()
        (folder / "steps_of_a_test.py").write_text(STEP, encoding="utf-8")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(UNWANTED)},
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
            SERVER: str(self.server_folder / SOCKET),
            **environment,
        }
        command = [sys.executable, "-m", "ocnn.steps.fork_server", str(self.server_folder), "1"]
        self.server = subprocess.Popen(command, cwd=folder, env=self.environment, stdin=subprocess.PIPE)
        self.until((self.server_folder / SOCKET).exists)

    def until(self, true: Callable[[], Any]) -> None:
        end = time.monotonic() + 120
        while not true():
            assert time.monotonic() < end
            time.sleep(0.02)

    def command(
        self, name: str, number: int = 1, *, threads: int = 1, python: tuple[str, ...] = (), wait: bool = False
    ) -> list[str]:
        settings = {"number": number, **({"wait": str(self.waiting(name))} if wait else {})}
        job = {
            "function": "steps_of_a_test:step",
            **{"objects": {}, "settings": settings, "stated": {}, "places": {}, "arguments": {}},
            **{"threads": threads, "code": "abc"},
        }
        files = {"inputs": {}, "outputs": {"product": str(self.folder / f"{name}.json")}, "others": {}}
        return [sys.executable, *python, "-m", "ocnn.steps", json.dumps(job), json.dumps(files)]

    def start(
        self,
        name: str,
        number: int = 1,
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        **otherwise: Any,
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(name, number, **otherwise),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=folder or self.folder,
            env={**self.environment, **(environment or {})},
        )

    def waiting(self, name: str) -> Path:
        """A file that a job of this name makes, with its process, and until whose end it waits."""
        return self.folder / f"{name}.wait"

    def process(self, name: str) -> psutil.Process:
        """The process of a job that waits."""
        self.until(lambda: self.waiting(name).exists() and self.waiting(name).read_text())
        return psutil.Process(int(self.waiting(name).read_text()))

    def product(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text())
        return content

    def was_forked(self, name: str) -> bool:
        return bool(self.product(name)["parent"] == self.server.pid)

    def notes(self) -> list[str]:
        return [path.name for path in self.server_folder.iterdir() if path.name != SOCKET]


@pytest.fixture(scope="module", autouse=True)
def _interrupted_by_default() -> Iterator[None]:
    """A shell that starts the tests with `&` has SIGINT ignored, by all that they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path)
    yield run
    run.server.kill()
    run.server.wait()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One that stays as it is."""
    run = Run(tmp_path_factory.mktemp("shared"))
    yield run
    run.server.kill()
    run.server.wait()


def gone(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_job_runs_in_a_forked_process_as_it_does_by_itself(shared: Run) -> None:
    forked = shared.start("forked", environment={"MINE": "some thing"}).communicate()
    alone = shared.start("alone", environment={"MINE": "some thing", SERVER: ""}).communicate()
    assert forked == alone == ("größer\n", "Warnung: äh\n")
    assert shared.was_forked("forked")
    assert not shared.was_forked("alone")
    same = ("folder", "mine", "threads", "signals", "optimised", "main", "unbuffered", "standard input")
    assert {key: shared.product("forked")[key] for key in same} == {key: shared.product("alone")[key] for key in same}
    assert shared.product("forked")["signals"] == [True, True]
    job, files = shared.product("forked")["arguments"]
    assert json.loads(job)["function"] == "steps_of_a_test:step"
    assert "forked.json" in files


def test_forked_processes_have_random_numbers_of_their_own(shared: Run) -> None:
    for name in ("first", "second"):
        shared.start(name).communicate()
        assert shared.was_forked(name)
    assert shared.product("first")["random"] != shared.product("second")["random"]


@pytest.mark.parametrize(
    ("number", "status"), [(1, 0), (-1, 1), (-2, 1), (-signal.SIGKILL, -9), (-signal.SIGSEGV, -11)]
)
def test_it_ends_as_the_job_does(shared: Run, number: int, status: int) -> None:
    process, alone = shared.start("ending", number), shared.start("ending alone", number, environment={SERVER: ""})
    output, errors = process.communicate()
    assert (output, status) == (alone.communicate()[0], alone.returncode)
    assert process.returncode == status
    assert {-1: "error: -1 is below 0.\n", -2: "RuntimeError: a fault of ours\n"}.get(number, "") in errors
    assert ("Traceback" in errors) == (number == -2)
    shared.until(lambda: not shared.notes())


@pytest.mark.parametrize(
    "otherwise",
    [
        {"threads": 2},
        {"python": ("-O",)},
        {"python": ("-X", "dev")},
        {"environment": {"PYTHONHASHSEED": "7"}},
        {"environment": {"PYTHONPATH": f".:{ROOT}"}},
        {"environment": {"NPY_PROMOTION_STATE": "weak"}},
        {"environment": {"KERAS_BACKEND": "jax"}},
        {"environment": {"LD_LIBRARY_PATH": "/nowhere"}},
        {"environment": {"CUDA_VISIBLE_DEVICES": "1"}},
        {"environment": {"PYTHONUNBUFFERED": "1"}},
        {"python": ("-u",)},
        {"folder": ROOT},
    ],
    ids=str,
)
def test_a_job_that_could_come_out_otherwise_runs_by_itself(shared: Run, otherwise: dict[str, Any]) -> None:
    process = shared.start("otherwise", **otherwise)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert not shared.was_forked("otherwise")
    assert shared.product("otherwise")["threads"] == str(otherwise.get("threads", 1))
    assert shared.product("otherwise")["optimised"] == (otherwise.get("python") == ("-O",))


@pytest.mark.parametrize("arguments", [[], ["no job", "{}"], ["{}", "{}"], ["[]"]], ids=str)
def test_what_is_no_job_says_so(shared: Run, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "ocnn.steps", *arguments]
    done = subprocess.run(
        command, cwd=shared.folder, env=shared.environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_who_asked_finds_the_forked_process(shared: Run) -> None:
    process = shared.start("noted", wait=True)
    forked = shared.process("noted")
    shared.until(lambda: shared.notes() == [str(process.pid)])
    assert int((shared.server_folder / str(process.pid)).read_text()) == forked.pid
    shared.waiting("noted").unlink()
    process.communicate()
    assert process.returncode == 0
    shared.until(lambda: not shared.notes())


def test_what_a_shell_closed_is_not_the_connection(shared: Run) -> None:
    """A process without standard input would have the connection in its place, and never be seen to end."""
    arguments = shared.command("closed")
    for number in (0, 1, 2):
        command = ["bash", "-c", f'exec "$@" {number}<&-', "bash", *arguments]
        subprocess.run(command, cwd=shared.folder, env=shared.environment, check=False, capture_output=True)
        # Without output Python itself has none to say what it does, and the job ends.
        assert number > 0 or not shared.was_forked("closed")
    shared.until(lambda: not shared.notes())


def test_what_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As by a shell that starts a run with `&`."""
    ignored = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = Run(tmp_path)
        process = run.start("job", wait=True)
    finally:
        signal.signal(signal.SIGINT, ignored)
    run.process("job").send_signal(signal.SIGINT)
    run.waiting("job").unlink()
    process.communicate()
    assert process.returncode == 0
    assert run.was_forked("job")
    assert run.product("job")["signals"] == [False, True]
    run.server.kill()
    run.server.wait()


@pytest.mark.parametrize("unbuffered", [False, True])
def test_what_was_printed_is_there_when_a_job_ends_by_force(tmp_path: Path, unbuffered: bool) -> None:
    run = Run(tmp_path, **({"PYTHONUNBUFFERED": "1"} if unbuffered else {}))
    forked = run.start("job", -3)
    alone = run.start("job", -3, environment={SERVER: ""})
    assert forked.communicate() == alone.communicate()
    assert forked.returncode == alone.returncode == 3
    run.server.kill()
    run.server.wait()


def test_where_a_note_cannot_be_written_jobs_run(run: Run) -> None:
    """As on a full disk; a folder stands where each note would."""
    first = run.start("first", wait=True)
    run.process("first")
    for number in range(first.pid + 1, first.pid + 2000):
        (run.server_folder / str(number)).mkdir()
    run.start("second").communicate()
    assert run.was_forked("second")
    assert not gone(run.process("first"))
    run.waiting("first").unlink()
    first.communicate()
    assert first.returncode == 0
    assert run.was_forked("first")


@pytest.mark.parametrize("name", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_the_process_that_asked_and_the_other_goes_on(shared: Run, name: signal.Signals) -> None:
    first, second = shared.start("first", wait=True), shared.start("second", wait=True)
    processes = shared.process("first"), shared.process("second")
    first.send_signal(name)
    first.communicate()
    assert first.returncode != 0
    shared.until(lambda: gone(processes[0]))
    assert not gone(processes[1])
    for job in ("first", "second"):
        shared.waiting(job).unlink()
    assert second.communicate()[0] == "größer\n"
    assert shared.was_forked("second")


def test_without_the_server_the_job_runs_by_itself(run: Run) -> None:
    process = run.start("job", wait=True)
    forked = run.process("job")
    run.waiting("job").write_text("")
    run.server.kill()
    again = run.process("job")
    run.until(lambda: gone(forked))
    assert again.pid == process.pid
    run.waiting("job").unlink()
    assert process.communicate()[0].endswith("größer\n")
    assert process.returncode == 0
    assert not run.was_forked("job")
    assert run.start("later").communicate()[0] == "größer\n"


def test_it_ends_with_its_input_and_jobs_go_on(run: Run) -> None:
    process = run.start("job", wait=True)
    run.process("job")
    assert run.server.stdin is not None
    run.server.stdin.close()
    run.until(lambda: not (run.server_folder / SOCKET).exists())
    assert run.start("later").communicate()[0] == "größer\n"
    assert not run.was_forked("later")
    assert run.server.poll() is None
    run.waiting("job").unlink()
    process.communicate()
    assert run.was_forked("job")
    assert run.server.wait(30) == 0
    assert not run.server_folder.exists()


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_signals_for_all_processes_of_a_terminal_do_not_end_it(run: Run, name: signal.Signals) -> None:
    run.server.send_signal(name)
    run.start("job").communicate()
    assert run.was_forked("job")
