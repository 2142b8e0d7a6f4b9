"""Whether the places that a run needs can be used, known before it starts, and what killed runs left there."""

import errno
import json
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from ocnn.storage.files import temporary_prefix

#: Bytes below which a run that failed is said to have lacked space: a full disk takes no log of what it did.
LITTLE_SPACE = 100 * 2**20
#: Seconds after which a temporary folder that another host does not change any more is taken for left.
OLD = 7 * 24 * 3600


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary folders that killed writers of `atomic_write` left under a folder, and nothing else.

    Those of a process that is still there stay, and so do those of other hosts unless they are `OLD`.
    """
    ours = re.compile(re.escape(temporary_prefix("PROCESS")).replace("PROCESS", r"(\d+)") + "[a-z0-9_]{8}")
    anyones = re.compile(r"\.ocnn-.+-\d+-[a-z0-9_]{8}")
    for place, names, _ in os.walk(folder):
        for name in filter(anyones.fullmatch, names):
            path, writer = Path(place, name), ours.fullmatch(name)
            changed = _last_change(path)
            if changed is None:
                continue
            if not _runs(int(writer[1])) if writer else time.time() - changed > OLD:
                shutil.rmtree(path, ignore_errors=True)


def _last_change(folder: Path) -> float | None:
    """When a writer's temporary folder or the file in it changed, in seconds; None if it has other content."""
    try:
        content = list(os.scandir(folder))
        if folder.is_symlink() or len(content) > 1 or not all(item.is_file(follow_symlinks=False) for item in content):
            return None
        return max([folder.stat().st_mtime, *(item.stat().st_mtime for item in content)])
    except OSError:
        return None


def _runs(process: int) -> bool:
    """Whether there may be a process of this number on this host."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # There is, but it is somebody else's.
    return True


def why_not_writable(folder: Path) -> str | None:
    """Say in one sentence why no file can be made in a folder that need not be there yet; None if one can.

    For a moment a temporary folder is made there or in the nearest folder above, as permissions alone do not tell.
    """
    if fault := why_no_folder(folder):
        return fault
    place = _nearest(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=temporary_prefix(), dir=place):
            return None
    except OSError as error:
        return f"Nothing can be written to {place}: {os.strerror(error.errno or 0)}."


def why_no_folder(folder: Path) -> str | None:
    """Say in one sentence why a path neither is nor can become a folder; None if nothing on the way is in the way."""
    place = _nearest(folder)
    fault = _fault(place)
    if fault in (errno.ENOENT, errno.ELOOP) and place.is_symlink():
        return f"{place} is a link to {place.readlink()}, which is not there."
    if fault:
        return f"{folder} cannot be used: {os.strerror(fault)}."
    return None if place.is_dir() else f"{place} is no folder."


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest thing above it that is there, be it no folder."""
    place = folder.absolute()
    while _fault(place) in (errno.ENOENT, errno.ENOTDIR) and not place.is_symlink():
        place = place.parent
    return place


def _fault(path: Path) -> int | None:
    """The number of the error with which the system refuses to look at what a path leads to."""
    try:
        path.stat()
    except OSError as error:
        return error.errno
    return None


def why_no_temporary_files() -> str | None:
    """Say in one sentence why none of the temporary files can be written that libraries need; None if they can."""
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(2**20))
            file.flush()
            return None
    except OSError as error:
        place, reason = os.environ.get("TMPDIR", "/tmp"), os.strerror(error.errno or 0)
        return f"No temporary file can be written to {place}: {reason}. Make room there, or let TMPDIR name a folder."


def why_snakemake_would_fail(folder: Path) -> str | None:
    """Say in one sentence what makes Snakemake fail in its folder `.snakemake`; None if nothing does.

    It reads a record of each output, JSON under the output's path in base64, cut to folders `@…` where it is long.
    One that is no JSON it passes over with a warning; for what else is wrong with one it shows a traceback that names
    no file. This takes about a second for ten thousand records.
    """
    import snakemake.persistence

    for place in (folder, folder / "metadata", folder / "incomplete"):
        if unwritable := why_not_writable(place):
            return f"{unwritable} Snakemake keeps there what it has done."
        for path, folders, names in os.walk(place) if place != folder else ():
            wrong = [Path(path, name) for name in folders if not name.startswith("@")]
            wrong += [Path(path, name) for name in names if not _is_record(Path(path, name), snakemake.persistence)]
            if wrong:
                return f"Snakemake cannot read its record {wrong[0]}: remove it, and run the same command again."
    return None


def _is_record(path: Path, persistence: object) -> bool:
    """Whether Snakemake takes a record or passes over it."""
    try:
        record = json.loads(path.read_text())
        # Older versions have no such type.
        kind = getattr(persistence, "MetadataRecord", None)
        return isinstance(record, dict) and (kind is None or kind.model_validate(record) is not None)
    except json.JSONDecodeError:
        return True
    except (OSError, ValueError, RecursionError):
        return False


def little_space(folder: Path) -> str | None:
    """Say in one sentence how little space there is where a folder is or will be; None if there is enough."""
    place = folder.absolute()
    while _fault(place):
        place = place.parent
    free = shutil.disk_usage(place).free
    return f"Only {free / 2**20:.1f} MiB are free on the disk of {folder}." if free < LITTLE_SPACE else None
