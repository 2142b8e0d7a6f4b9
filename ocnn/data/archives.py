"""Raw archives: downloaded from official addresses or copied from a mirror folder, and verified either way.

A mirror is a folder with one sub-folder per data set, `MIRROR/mnist/train-images-idx3-ubyte.gz` and so on. Where its
archives differ from the official ones, a file `SHA256SUMS` beside them (the output of `sha256sum *`) states their
checksums; what it does not list must be the official archive. An archive that packs several files may be there
extracted instead, `MIRROR/cifar10/cifar-10-batches-bin/data_batch_1.bin` and so on.

Beside each archive that was verified its SHA-256 is kept, `NAME.sha256`, so that one that has changed since is refused
before it is parsed. `sha256sum -c` reads it, too; a comment in it says by whose word the archive was accepted.
"""

import hashlib
import io
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ocnn.data.formats.tar import MAXIMUM_SIZE, pack_members, read_members
from ocnn.errors import DataError
from ocnn.storage.files import atomic_write, read_text, write_text

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: Seconds to wait for a server, and rounds over all addresses before giving up.
TIMEOUT = 30
ROUNDS = 3
#: Bytes of an archive; the largest official one has 0.3 GB.
MAXIMUM_DOWNLOAD = 2**32
#: Where an archive comes from: it or each of its members has the official checksum; it is another edition that the
#: reader knows; only the mirror's own list vouches for it; or what is kept beside it does not say.
OFFICIAL, EDITION, MIRROR, UNKNOWN = "official", "edition", "mirror's own checksum", "unknown"
#: Before this in a kept checksum, and before the checksum by which the archive was accepted.
COMMENT = "# origin: "
EXPECTED = "# expected: "


@dataclass(frozen=True)
class Archive:
    """A file of a data set: its name, the addresses that serve it (tried in turn) and its official checksum.

    checksum: its SHA-256; or, where only that is known, `md5:` and its MD5.
    members: for a tar archive, the official SHA-256 of each member that is wanted, by its name in the archive.
    editions: SHA-256 of other editions that the reader takes, too, from a mirror.
    """

    name: str
    urls: tuple[str, ...]
    checksum: str
    members: Mapping[str, str] = field(default_factory=dict)
    editions: tuple[str, ...] = ()


def digest(path: Path, algorithm: str = "sha256") -> str:
    """The checksum of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What the system refuses of a file or folder, as one error."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise DataError(f"{error.filename or path} cannot be read: {reason}. See to its permissions.") from error


def mirror_checksums(folder: Path) -> dict[str, str]:
    """Read the checksums that a mirror's own `SHA256SUMS` states, by file name; empty where it has none.

    Raises:
        DataError: it cannot be read or is too long, or a line is not `<64 hexadecimal digits>  <name>`.
    """
    listing = folder / "SHA256SUMS"
    with _readable(listing):
        return _read_checksums(listing) if listing.is_file() else {}


def _read_checksums(listing: Path) -> dict[str, str]:
    sums = {}
    try:
        lines = read_text(listing).splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{listing} is no text in UTF-8 ({error.reason}).") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        value, _, name = line.partition(" ")
        if len(value) != 64 or set(value.lower()) - set("0123456789abcdef") or not name.strip(" *"):
            raise DataError(f"{listing}, line {number}: expected '<sha256>  <file name>', found {line[:100]!r}.")
        sums[name.strip(" *")] = value.lower()
    return sums


def verify(path: Path, archive: Archive, origin: Path | str, sums: Mapping[str, str] | None = None) -> str:
    """Check a file, then each of its members, against the mirror's own checksum if it lists one, else the official.

    Args:
        path: the file.
        archive: what it should be.
        origin: where it comes from, for the message.
        sums: of the mirror's own list.

    Returns:
        `OFFICIAL`, `EDITION` or `MIRROR`, whatever the mirror lists.

    Raises:
        DataError: they differ, or the archive cannot be read.
    """
    sums = sums or {}
    algorithm, _, official = archive.checksum.rpartition(":")
    with _readable(path):
        found = digest(path)
        is_official = (digest(path, algorithm) if algorithm else found) == official
    if archive.name in sums:
        _compare(found, sums[archive.name], origin)
    elif found not in archive.editions and not is_official:
        _compare(digest(path, algorithm or "sha256"), official, origin, algorithm or "sha256")
    contents = read_members(path, archive.members) if archive.members else {}
    members = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    for name, value in members.items():
        _compare(value, _expected(name, archive, sums), f"{origin}, {name}")
    if is_official or (members and members == archive.members):
        return OFFICIAL
    return EDITION if found in archive.editions else MIRROR


def _expected(member: str, archive: Archive, sums: Mapping[str, str]) -> str:
    """The checksum of a member: the mirror's own one, listed by path or by bare name, else the official one."""
    return sums.get(member) or sums.get(Path(member).name) or archive.members[member]


def _compare(found: str, expected: str, origin: Path | str, algorithm: str = "sha256") -> None:
    if found != expected:
        name = {"sha256": "SHA-256", "md5": "MD5"}[algorithm]
        raise DataError(
            f"{origin} is not the expected archive: its {name} is {found}, but should be {expected}."
            " Replace the file; a mirror may state checksums of its own in a file SHA256SUMS beside it."
        )


def _extracted(archive: Archive, folder: Path) -> bool:
    """Whether a mirror's folder has the archive's members instead of the archive, be it only some of them."""
    if (folder / archive.name).is_file():
        return False
    return any((folder / Path(member).parts[0]).exists() for member in archive.members)


def _read_extracted(archive: Archive, folder: Path) -> tuple[dict[str, bytes], str]:
    """The verified contents of an archive's members in a mirror's folder, and `OFFICIAL` or `MIRROR`.

    Raises:
        DataError: one is missing, too large or not what it should be.
    """
    missing = [str(folder / member) for member in archive.members if not (folder / member).is_file()]
    if missing:
        raise DataError(f"The mirror lacks {', '.join(missing)}.")
    contents, found = {}, {}
    for member in archive.members:
        path = folder / member
        if path.stat().st_size > MAXIMUM_SIZE:
            raise DataError(f"{path} is of {path.stat().st_size} bytes, which is too large.")
        sums = {**mirror_checksums(folder), **mirror_checksums(path.parent)}
        contents[member] = path.read_bytes()
        found[member] = hashlib.sha256(contents[member]).hexdigest()
        _compare(found[member], _expected(member, archive, sums), path)
    return contents, OFFICIAL if found == archive.members else MIRROR


def check_available(dataset: str, archives: Iterable[Archive], mirror: Path | None) -> list[str]:
    """Say what stands in the way of obtaining these archives, one sentence a fault; empty if nothing does.

    With a mirror, its files are looked up and verified; without one, each archive's servers are asked whether one
    answers.
    """
    if mirror is None:
        silent = [archive.name for archive in archives if not any(_answers(url) for url in archive.urls)]
        if not silent:
            return []
        return [
            f"The data set {dataset} lacks {', '.join(silent)}, and none of their servers answers: connect this"
            f" machine to the internet, or put the files into MIRROR/{dataset}/ and name the folder MIRROR by the"
            " configuration key 'mirror' or the environment variable OCNN_MIRROR."
        ]
    folder = mirror / dataset
    missing, problems = [], []
    for archive in archives:
        path = folder / archive.name
        try:
            with _readable(path):
                if _extracted(archive, folder):
                    _read_extracted(archive, folder)
                elif path.is_file():
                    verify(path, archive, path, mirror_checksums(folder))
                else:
                    places = sorted({Path(member).parts[0] for member in archive.members})
                    missing.append(archive.name + "".join(f" (or the extracted folder {place}/)" for place in places))
        except DataError as error:
            problems.append(str(error))
    if missing:
        problems.append(f"The mirror {folder} lacks {', '.join(missing)}: put the official archives there.")
    return problems


def _answers(url: str) -> bool:
    import requests

    try:
        return requests.head(url, timeout=5, allow_redirects=True).ok
    except requests.RequestException:
        return False


def checksum_file(path: Path) -> Path:
    """Where the checksum of an archive is kept."""
    return path.with_name(f"{path.name}.sha256")


def origin(path: Path) -> str:
    """Say by whose word an archive was accepted: `OFFICIAL`, `EDITION`, `MIRROR`, or `UNKNOWN` where it is not kept."""
    try:
        lines = read_text(checksum_file(path)).splitlines()
    except (OSError, UnicodeDecodeError):
        return UNKNOWN
    return next((kind for kind in (OFFICIAL, EDITION, MIRROR) if COMMENT + kind in lines), UNKNOWN)


def verify_kept(path: Path, archive: Archive) -> None:
    """Check that an archive is still the one that `obtain` put there, and that the data set still wants that one.

    What the mirror alone vouched for stays, whatever checksum the data set states.

    Raises:
        DataError: it is not, or its checksum is not kept.
    """
    kept = checksum_file(path)
    try:
        expected, found = _read_checksums(kept).get(path.name), digest(path)
        comments = [line for line in read_text(kept).splitlines() if line.startswith(EXPECTED)]
    except (OSError, DataError) as error:
        raise DataError(f"{path} cannot be verified: {error}. Delete it to have it fetched again.") from error
    if found != expected:
        raise DataError(
            f"{path} has changed since it was fetched: its SHA-256 is {found}, but {kept.name} states {expected}."
            " Delete it to have it fetched again."
        )
    if comments not in ([], [EXPECTED + archive.checksum]) and origin(path) != MIRROR:
        raise DataError(
            f"{path} was fetched when the data set stated the checksum {comments[0].removeprefix(EXPECTED)};"
            f" now it states {archive.checksum}. Delete it to have it fetched again."
        )


def obtain(dataset: str, archive: Archive, destination: Path, mirror: Path | None) -> None:
    """Put a verified copy of the archive at `destination`, from the mirror if there is one, else by download.

    Its checksum is kept beside it, for `verify_kept` and `origin`. Of an archive that the mirror has extracted, the
    members are packed into one again.

    Raises:
        DataError: it is nowhere to be had, or not what it should be.
    """
    kind = _download(archive, destination) if mirror is None else _copy(archive, destination, mirror / dataset)
    write_text(
        checksum_file(destination),
        f"{COMMENT}{kind}\n{EXPECTED}{archive.checksum}\n{digest(destination)}  {destination.name}\n",
    )


def _copy(archive: Archive, destination: Path, folder: Path) -> str:
    """Take an archive from a mirror's folder; whence it is."""
    source = folder / archive.name
    with _readable(source):
        if _extracted(archive, folder):
            contents, kind = _read_extracted(archive, folder)
            with atomic_write(destination) as temporary:
                pack_members(temporary, contents)
            return kind
        if not source.is_file():
            raise DataError(f"The mirror has no {source}.")
        with atomic_write(destination) as temporary:
            shutil.copyfile(source, temporary)
            return verify(temporary, archive, source, mirror_checksums(folder))


class _Bounded(io.BufferedWriter):
    """A file that takes no more than `MAXIMUM_DOWNLOAD`: a server that never ends must not fill the disk."""

    def write(self, content: "Buffer", /) -> int:
        if self.tell() + memoryview(content).nbytes > MAXIMUM_DOWNLOAD:
            raise DataError(f"more than {MAXIMUM_DOWNLOAD} bytes, which cannot be right")
        return super().write(content)


def _download(archive: Archive, destination: Path) -> str:
    """Fetch an archive from the first of its addresses that serves it; whence it is."""
    import pooch
    import requests

    downloader = pooch.HTTPDownloader(timeout=TIMEOUT)
    failures = []
    for _ in range(ROUNDS):
        for url in archive.urls:
            try:
                with atomic_write(destination) as temporary:
                    with _Bounded(io.FileIO(temporary, "w")) as file:
                        downloader(url, file, None)
                    return verify(temporary, archive, url)
            except (requests.RequestException, OSError, DataError) as error:
                failures.append(f"{url}: {error}")
                print(f"failed: {failures[-1]}", flush=True)
    raise DataError(f"{archive.name} could not be downloaded:\n  " + "\n  ".join(failures))
