"""What stands in a run's way is known before it starts; what killed runs left is removed, and nothing of others."""

import errno
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ocnn.storage import places
from ocnn.storage.files import temporary_prefix
from ocnn.storage.places import (
    OLD,
    little_space,
    remove_leftovers,
    why_no_temporary_files,
    why_not_writable,
    why_snakemake_would_fail,
)
from tests.conftest import ROOT

WRITER = """
import os, signal, sys
from pathlib import Path
from ocnn.storage.files import atomic_write
with atomic_write(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
    if sys.argv[2:]:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_leaves_is_removed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", WRITER, tmp_path / "deep" / "a.txt", "killed"], check=False, input=b"")
    (leftover,) = (tmp_path / "deep").iterdir()
    assert [item.read_text() for item in leftover.iterdir()] == ["half"]
    remove_leftovers(tmp_path)
    assert not list((tmp_path / "deep").iterdir())


def test_what_another_process_is_writing_stays(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "a.txt")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"writing\n"
        remove_leftovers(tmp_path)
        writer.communicate()
    assert writer.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


#: A process that is gone, as no system counts so far.
GONE = 2**22 + 1


def of_another_host(process: int = GONE) -> str:
    return f".ocnn-node7.cluster-1-{process}-abcd1234"


def test_of_another_host_only_what_is_old_is_removed(tmp_path: Path) -> None:
    for name, age in (("young", OLD - 60), ("old", OLD + 60)):
        folder = tmp_path / name / of_another_host()
        folder.mkdir(parents=True)
        (folder / "a.txt").touch()
        for path in (folder / "a.txt", folder):
            os.utime(path, (time.time() - age,) * 2)
    # The folder is old, but something is still written to its file.
    busy = tmp_path / "busy" / of_another_host()
    busy.mkdir(parents=True)
    (busy / "a.txt").touch()
    os.utime(busy, (0, 0))
    remove_leftovers(tmp_path)
    assert sorted(path.parent.name for path in tmp_path.rglob(".ocnn-*")) == ["busy", "young"]


def test_a_strangers_folder_stays(tmp_path: Path) -> None:
    left = f"{temporary_prefix(GONE)}abcd1234"
    kept = [
        *(
            tmp_path / name / "file"
            for name in (".hidden", ".cache.abcd1234", ".file.abcd1234", f"{left}.d", f"x{left}")
        ),
        *(tmp_path / "two" / left / name for name in ("a", "b")),
        tmp_path / "nested" / left / "folder" / "file",
        tmp_path / "a" / left,  # a file
        tmp_path / "elsewhere" / "file",
    ]
    for path in kept:
        path.parent.mkdir(exist_ok=True, parents=True)
        path.touch()
    (tmp_path / left).symlink_to("elsewhere")
    for path in (path for path in tmp_path.rglob("*") if not path.is_symlink()):
        os.utime(path, (0, 0))
    remove_leftovers(tmp_path)
    assert all(path.exists() for path in kept)
    assert (tmp_path / left).is_symlink()
    # Of such a name and content, though, it is a writer's.
    (tmp_path / left).unlink()
    (tmp_path / left).mkdir()
    remove_leftovers(tmp_path)
    assert not (tmp_path / left).exists()


def test_of_a_process_that_is_somebody_elses_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "not yours")

    (tmp_path / f"{temporary_prefix(GONE)}abcd1234").mkdir()
    monkeypatch.setattr(os, "kill", refuse)
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda folder: folder.touch(), r"{folder} is no folder\."),
        (lambda folder: folder.symlink_to("gone"), r"{folder} is a link to gone, which is not there\."),
        (
            lambda folder: folder.symlink_to("results"),
            r"{folder}.* (is a link to results, which is not there|cannot be used: .*symbolic links)\.",
        ),
    ],
    ids=["file", "dangling", "circle"],
)
@pytest.mark.parametrize("below", ["", "not/there/yet"])
def test_where_nothing_can_be_written(
    tmp_path: Path, prepare: Callable[[Path], object], message: str, below: str
) -> None:
    folder = tmp_path / "results"
    assert why_not_writable(folder / below) is None
    assert not folder.exists()
    prepare(folder)
    assert re.fullmatch(message.format(folder=folder), why_not_writable(folder / below) or "")


def test_a_folder_that_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_not_writable(tmp_path / ("x" * 256)) == f"{tmp_path}/{'x' * 256} cannot be used: File name too long."

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "as root no folder is")

    monkeypatch.setattr(os, "mkdir", refuse)
    assert why_not_writable(tmp_path / "new") == f"Nothing can be written to {tmp_path}: Permission denied."


def run_in(folder: Path, code: str) -> str:
    """What a process prints whose temporary files must be in the folder."""
    command = [sys.executable, "-c", f"import resource; from ocnn.storage.places import *; {code}"]
    environment = {**os.environ, "TMPDIR": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def test_where_temporary_files_find_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_no_temporary_files() is None
    # A limit of a file's size stands for a full disk.
    code = "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); print(why_no_temporary_files())"
    expected = f"No temporary file can be written to {tmp_path}: File too large. Make room there, or let TMPDIR name"
    assert run_in(tmp_path, code).startswith(expected)

    def none_is_usable() -> None:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "_get_default_tempdir", none_is_usable)
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert "No temporary file can be written" in (why_no_temporary_files() or "")


def test_a_disk_with_little_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    assert little_space(folder) is None
    monkeypatch.setattr(places, "LITTLE_SPACE", float("inf"))
    assert re.fullmatch(rf"Only [\d.]+ MiB are free on the disk of {folder}\.", little_space(folder) or "")


RULE = """
rule make:
    output: "out/a"
    shell: "echo made > {output}"
"""
CHECKED = f"""
from pathlib import Path
from ocnn.storage.places import why_snakemake_would_fail
if fault := why_snakemake_would_fail(Path(".snakemake")):
    raise WorkflowError(fault)
{RULE}
"""
RECORD = Path(".snakemake", "metadata", "b3V0L2E=")


def snakemake(folder: Path, workflow: str) -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(workflow)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "out/a"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize(
    ("content", "damaged"),
    [
        (b"no JSON", False),
        (b"", False),
        (b"{}", False),
        (b"[]", True),
        (b"null", True),
        (b"\xff\xfe\0", True),
        (b'{"input": 5}', True),
        (b"[" * 100_000, True),
    ],
)
def test_a_record_is_called_damaged_where_snakemake_fails(tmp_path: Path, content: bytes, damaged: bool) -> None:
    (tmp_path / RECORD).parent.mkdir(parents=True)
    (tmp_path / RECORD).write_bytes(content)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").touch()
    assert (why_snakemake_would_fail(tmp_path / ".snakemake") is not None) == damaged
    assert (snakemake(tmp_path, RULE).returncode != 0) == damaged


def test_a_damaged_record_is_one_clear_line(tmp_path: Path) -> None:
    """The check comes before Snakemake itself looks at its records."""
    (tmp_path / RECORD).parent.mkdir(parents=True)
    (tmp_path / RECORD).write_bytes(b"\xff\xfe\0")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").touch()
    run = snakemake(tmp_path, CHECKED)
    assert run.returncode != 0
    assert f"Snakemake cannot read its record {RECORD}: remove it, and run the same command again." in run.stderr
    assert "Traceback" not in run.stderr


def test_the_records_of_a_run_are_whole(tmp_path: Path) -> None:
    assert why_snakemake_would_fail(tmp_path / ".snakemake") is None
    assert not (tmp_path / ".snakemake").exists()
    assert snakemake(tmp_path, CHECKED).returncode == 0
    assert json.loads((tmp_path / RECORD).read_text())["rule"] == "make"
    assert why_snakemake_would_fail(tmp_path / ".snakemake") is None
    long = tmp_path / RECORD.parent / f"@{'x' * 254}" / "x"
    long.parent.mkdir()
    long.write_text("{}")
    assert why_snakemake_would_fail(tmp_path / ".snakemake") is None
    (tmp_path / RECORD).unlink()
    (tmp_path / RECORD).mkdir()
    assert str(tmp_path / RECORD) in (why_snakemake_would_fail(tmp_path / ".snakemake") or "")


def test_a_file_where_snakemake_needs_a_folder(tmp_path: Path) -> None:
    for name in (".snakemake", ".snakemake/metadata"):
        path = tmp_path / name / "x"
        path.parent.parent.mkdir(exist_ok=True)
        path.parent.touch()
        fault = why_snakemake_would_fail(tmp_path / ".snakemake")
        assert fault == f"{path.parent} is no folder. Snakemake keeps there what it has done."
        path.parent.unlink()
