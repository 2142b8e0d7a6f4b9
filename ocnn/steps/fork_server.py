"""The process from which the jobs of a run on one machine are forked: it has imported what each of them would import.

    python -m ocnn.steps.fork_server FOLDER THREADS [networks]

The workflow starts one before the first job. Each job asks at the socket in FOLDER, sends what it is
(`ocnn.steps.forked`), and waits; this process forks, and the child runs the job as `python -m ocnn.steps` would, with
its streams, environment and folder. Nothing is computed here before the fork, so that a job's numbers are the same to
the bit either way. A job for which that is not certain is refused and runs by itself: another Python, other modules to
be found, other variables that libraries read when they are imported, other threads.

- It ends when its standard input does, which Snakemake holds; jobs that run go on, as they would without it.
- A forked process ends with it, and with the process that asked.
- In FOLDER a file with the number of each process that asked names the forked one, for whoever measures it.

`multiprocessing.forkserver` forks for the process alone that started it, and for what that pickles.
"""

import gc
import os

gc.disable()
#: The variables that this process was started with: libraries add their own when they are imported.
STARTED_WITH = dict(os.environ)

import ctypes  # noqa: E402  (the above first)
import json  # noqa: E402
import select  # noqa: E402
import shutil  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import struct  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from collections import Counter  # noqa: E402
from collections.abc import Mapping, Sequence  # noqa: E402
from contextlib import suppress  # noqa: E402
from importlib import import_module  # noqa: E402
from io import TextIOWrapper  # noqa: E402
from pathlib import Path  # noqa: E402
from pkgutil import walk_packages  # noqa: E402
from typing import Any  # noqa: E402

from ocnn.steps.forked import LENGTH, REFUSED, SOCKET, STREAMS, interpreter  # noqa: E402
from ocnn.steps.runtime import FOREIGN, STATED, THREADS, state_environment, use_threads  # noqa: E402

#: The exit status of a forked process that ran no job.
NOT_RUN = 75
#: How variables begin that Python, the loader or a library reads before a job could set them.
EARLY = (*FOREIGN, *STATED, "PYTHON", "LD_", "MALLOC_", "CUDA_", "HIP_", "ROCR_")
#: What the steps to a fit import besides the methods' modules.
MODULES = ("ocnn.steps.fit", "ocnn.steps.split", "ocnn.steps.images", "ocnn.storage.recipes", "pyarrow.pandas_compat")
#: What those with networks import as well.
NETWORKS = ("keras", "ocnn.steps.pretrain")


def preload(networks: bool) -> None:
    """Import what fits import; with `networks`, Keras and its backend, too."""
    from ocnn.methods import METHODS

    for name in [*MODULES, *(path.partition(":")[0] for path in METHODS.values())]:
        import_module(name)
    if networks:
        package = import_module("ocnn.networks")
        for name in [*NETWORKS, *(module.name for module in walk_packages(package.__path__, "ocnn.networks."))]:
            import_module(name)


def early(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that must be the same as here; threads apart, which a job sets by itself."""
    return {name: value for name, value in environment.items() if name.startswith(EARLY) and name not in THREADS}


class Forked:
    """A process that runs a job, and who asked for it."""

    def __init__(self, pid: int, asker: socket.socket, note: Path) -> None:
        self.pid, self.asker, self.note = pid, asker, note
        self.handle = os.pidfd_open(pid)
        # It is for measuring alone.
        with suppress(OSError):
            self.note.write_text(str(pid))

    def end(self) -> bool:
        """Tell who asked how it ended; return whether the job was run."""
        _, status = os.waitpid(self.pid, 0)
        os.close(self.handle)
        with suppress(OSError):
            self.note.unlink()
        with suppress(OSError):
            self.asker.sendall(str(os.waitstatus_to_exitcode(status)).encode())
        self.asker.close()
        return os.waitstatus_to_exitcode(status) != NOT_RUN


def serve(folder: Path, signals: Mapping[int, Any]) -> socket.socket | None:
    """Fork a process for each connection.

    Args:
        folder: where the socket is to be.
        signals: what forked processes are to do at which.

    Returns:
        In a forked process, the connection of the one that asked for it; None in this one, when it is to end.
    """
    here, running, run = os.getpid(), dict[int, Forked](), Counter[bool]()
    # Before a name is there to connect to, everything is there to answer.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(folder / "unready"))
        listener.listen(128)
        waiting = select.poll()
        waiting.register(listener, select.POLLIN)
        waiting.register(0, select.POLLIN)
        (folder / "unready").rename(folder / SOCKET)
        wanted = True
        while wanted or running:
            events = dict(waiting.poll())
            # Those that are known first: a number that becomes free here may be that of the next connection.
            for number in sorted(events, key=lambda number: number == listener.fileno()):
                if number == 0:
                    # Nothing is ever written there: it has ended.
                    wanted = False
                    waiting.unregister(0)
                elif number != listener.fileno():
                    found = running.get(number)
                    if found is not None and number == found.handle:
                        del running[found.handle], running[found.asker.fileno()]
                        waiting.unregister(found.handle)
                        with suppress(KeyError):
                            waiting.unregister(found.asker)
                        run[found.end()] += 1
                    elif found is not None:
                        waiting.unregister(number)
                        os.kill(found.pid, signal.SIGKILL)
                else:
                    asker = _accept(listener)
                    if asker is None:
                        continue
                    pid = _fork()
                    if pid == 0:
                        _end_with(here, signals)
                        for other in running.values():
                            other.asker.close()
                        return asker
                    started = None if pid is None else _followed(pid, asker, folder)
                    if started is None:
                        # Without an answer a job runs by itself.
                        asker.close()
                        continue
                    running[started.handle] = running[asker.fileno()] = started
                    waiting.register(started.handle, select.POLLIN)
                    # What is sent there is for the forked process; here only its end counts.
                    waiting.register(asker, 0)
            if not wanted:
                (folder / SOCKET).unlink(missing_ok=True)
    print(f"Jobs that ran in forked processes: {run[True]}. Jobs that were refused: {run[False]}.")
    return None


def _accept(listener: socket.socket) -> socket.socket | None:
    """The next connection; None where there is no room for one, so that it waits."""
    try:
        return listener.accept()[0]
    except OSError:
        time.sleep(0.1)
        return None


def _fork() -> int | None:
    """Fork; None where no process can be had."""
    try:
        with warnings.catch_warnings():
            # Python warns of the thread in which pyarrow's allocator returns memory, which knows of forks.
            warnings.simplefilter("ignore", DeprecationWarning)
            return os.fork()
    except OSError:
        return None


def _followed(pid: int, asker: socket.socket, folder: Path) -> Forked | None:
    """A forked process whose end will be seen; one of which that is impossible is ended, and None."""
    try:
        who = struct.unpack("3i", asker.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        return Forked(pid, asker, folder / str(who))
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return None


def _end_with(server: int, signals: Mapping[int, Any]) -> None:
    """Have this process ended when the server is, however that ends; and let it do at signals what it did before."""
    set_signal_of_parents_death = 1
    ctypes.CDLL(None).prctl(set_signal_of_parents_death, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(NOT_RUN)
    for name, action in signals.items():
        signal.signal(name, action)


def take_over(asker: socket.socket, threads: int) -> Sequence[str]:
    """Become, in a forked process, the one that asked: its streams, environment and folder.

    Args:
        asker: the connection.
        threads: for which this process is prepared.

    Returns:
        The arguments of `python -m ocnn.steps`. A job that could come out otherwise than by itself is refused, and this
        process ends.
    """
    size, streams, _, _ = socket.recv_fds(asker, LENGTH, len(STREAMS))
    content = b""
    while len(content) < int.from_bytes(size, "big"):
        part = asker.recv(2**20)
        if not part:
            os._exit(NOT_RUN)
        content += part
    told = json.loads(content)
    alike = (
        told["python"] == json.loads(json.dumps(interpreter()))
        and early(told["environment"]) == early(STARTED_WITH)
        and _threads(told["arguments"]) == threads
    )
    if not alike:
        asker.sendall(REFUSED)
        os._exit(NOT_RUN)
    asker.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # What Python knows of a stream, such as whether it can seek, is of the file that this process was started with.
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = _output(1)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _output(2)  # type: ignore[misc]
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["environment"])
    reseed()
    arguments: list[str] = told["arguments"]
    return arguments


def _threads(arguments: Sequence[str]) -> int | None:
    """How many a job has; None of what is no job, of which the other process says so by itself."""
    try:
        return int(json.loads(arguments[0])["threads"])
    except (ValueError, LookupError, TypeError):
        return None


def _output(number: int) -> TextIOWrapper:
    """A stream as Python opens it when it starts, to a descriptor."""
    unbuffered = sys.__stdout__.write_through  # type: ignore[union-attr]
    binary = open(number, "wb", buffering=0 if unbuffered else -1, closefd=False)  # noqa: SIM115
    by_lines = number == STREAMS[2] or binary.isatty()
    return TextIOWrapper(binary, line_buffering=by_lines, write_through=unbuffered)


def reseed() -> None:
    """Give NumPy's global generator a seed of its own, as in a process that imports it."""
    import numpy as np

    np.random.seed(None)  # noqa: NPY002  (that of the generator which all have in common)


def main(folder: Path, threads: int, networks: bool) -> None:
    """Serve, and in each forked process run a job."""
    from ocnn.steps import __main__ as runner

    # Of a terminal's signals jobs take notice, and Snakemake, with which this process ends.
    signals: dict[int, Any] = {
        name: signal.signal(name, signal.SIG_IGN) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    state_environment()
    use_threads(threads)
    preload(networks)
    gc.freeze()
    asker = serve(folder, signals)
    if asker is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    arguments = take_over(asker, threads)
    # For what looks at them, as processes do that multiprocessing starts, this is the other process in all respects.
    sys.modules["__main__"], sys.argv = runner, [str(runner.__file__), *arguments]
    runner.main(arguments)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), "networks" in sys.argv[3:])
