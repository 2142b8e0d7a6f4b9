"""A job in a process that is forked from the run's server (`ocnn.steps.fork_server`), where imports are done already.

It is all that a job imports when it is asked for by a server; so it takes the standard library alone.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

#: The variable that names the server's socket.
SERVER = "OCNN_FORK_SERVER"
#: What the socket is called in the server's folder.
SOCKET = "socket"
#: What a server says instead of how a job ended, where it would not run as it does by itself.
REFUSED = b"refused"
#: Standard input, output and errors.
STREAMS = (0, 1, 2)
SECONDS_TO_TIDY = 2.0
#: Bytes of the length of a request.
LENGTH = 8


def request(arguments: Sequence[str]) -> bytes:
    """What a server is told of this process: what to run, and all by which another process could run it otherwise."""
    content = {
        "arguments": list(arguments),
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "python": interpreter(),
    }
    return json.dumps(content).encode()


def interpreter() -> list[object]:
    """What must be the same of two processes for one to stand for the other."""
    unbuffered = sys.stdout.write_through  # type: ignore[union-attr]
    return [sys.executable, sys.path, list(sys.flags), sorted(map(str, sys._xoptions.items())), unbuffered]


def run_forked(arguments: Sequence[str]) -> int | None:
    """Run a job in a process forked from the server that the environment names.

    This process waits, and the other one ends when it does. Output goes where that of this one goes.

    Args:
        arguments: of `python -m ocnn.steps`.

    Returns:
        The job's exit status, negative for a signal; None where no server is, or none that takes the job, so that the
        job has to be run here.
    """
    address = os.environ.get(SERVER)
    if not address or not all(map(_is_open, STREAMS)):
        return None
    content = request(arguments)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(address)
            socket.send_fds(connection, [len(content).to_bytes(LENGTH, "big")], STREAMS)
            connection.sendall(content)
            answer = _answer(connection)
    except OSError:
        # The server has ended, and with it the process that it forked.
        return None
    return None if not answer or answer.startswith(REFUSED) else int(answer)


def _is_open(number: int) -> bool:
    """Whether a descriptor is open. One that is not would be the connection's own."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _answer(connection: socket.socket) -> bytes:
    """All that the server says, at the job's end."""
    try:
        return connection.makefile("rb").read()
    except KeyboardInterrupt:
        # From a terminal the job is told so, too, and tidies up; when this process ends, it is killed.
        with suppress(OSError, KeyboardInterrupt):
            connection.settimeout(SECONDS_TO_TIDY)
            connection.recv(1)
        return str(-signal.SIGINT).encode()


def leave(status: int) -> None:
    """End this process as the job has ended."""
    if status < 0:
        # Of some, SIGKILL for one, it is said already what they do.
        with suppress(OSError):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
