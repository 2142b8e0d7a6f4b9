"""Raw archives: downloaded from official addresses or copied from a mirror folder, and verified either way.

A mirror is a folder with one sub-folder per data set, `MIRROR/mnist/train-images-idx3-ubyte.gz` and so on. Where its
archives differ from the official ones, a file `SHA256SUMS` beside them (the output of `sha256sum *`) states their
checksums; what it does not list must be the official archive. An archive that packs several files may be there
extracted instead, `MIRROR/cifar10/cifar-10-batches-bin/data_batch_1.bin` and so on.

Beside each archive that was verified its SHA-256 is kept, `NAME.sha256`, so that one that has changed since is refused
before it is parsed.
"""

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ocnn.data.formats.tar import pack_members, read_members
from ocnn.errors import DataError
from ocnn.storage.files import atomic_write

#: Seconds to wait for a server, and rounds over all addresses before giving up.
TIMEOUT = 30
ROUNDS = 3


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


def mirror_checksums(folder: Path) -> dict[str, str]:
    """The checksums that a mirror's own `SHA256SUMS` states, by file name; empty where it has none.

    Raises:
        DataError: a line is not `<64 hexadecimal digits>  <name>`.
    """
    listing = folder / "SHA256SUMS"
    return _read_checksums(listing) if listing.is_file() else {}


def _read_checksums(listing: Path) -> dict[str, str]:
    sums = {}
    for number, line in enumerate(listing.read_text(errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        digest, _, name = line.partition(" ")
        if len(digest) != 64 or set(digest.lower()) - set("0123456789abcdef") or not name.strip(" *"):
            raise DataError(f"{listing}, line {number}: expected '<sha256>  <file name>', found {line!r}.")
        sums[name.strip(" *")] = digest.lower()
    return sums


def verify(path: Path, archive: Archive, origin: Path | str, sums: Mapping[str, str] | None = None) -> None:
    """Checks a file, then each of its members, against the mirror's own checksum if it lists one, else the official.

    origin: where it comes from, for the message.

    Raises:
        DataError: they differ, or the archive cannot be read.
    """
    sums = sums or {}
    expected = sums.get(archive.name, archive.checksum)
    if archive.name in sums or digest(path) not in archive.editions:
        algorithm, _, value = expected.rpartition(":")
        _compare(digest(path, algorithm or "sha256"), value, origin, algorithm or "sha256")
    if archive.members:
        for name, content in read_members(path, archive.members).items():
            _compare(hashlib.sha256(content).hexdigest(), _expected(name, archive, sums), f"{origin}, {name}")


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


def _read_extracted(archive: Archive, folder: Path) -> dict[str, bytes]:
    """The verified contents of an archive's members in a mirror's folder.

    Raises:
        DataError: one is missing or not what it should be.
    """
    missing = [str(folder / member) for member in archive.members if not (folder / member).is_file()]
    if missing:
        raise DataError(f"The mirror lacks {', '.join(missing)}.")
    contents = {}
    for member in archive.members:
        sums = {**mirror_checksums(folder), **mirror_checksums((folder / member).parent)}
        contents[member] = (folder / member).read_bytes()
        _compare(hashlib.sha256(contents[member]).hexdigest(), _expected(member, archive, sums), folder / member)
    return contents


def check_available(dataset: str, archives: Iterable[Archive], mirror: Path | None) -> list[str]:
    """What stands in the way of obtaining these archives, one sentence a fault; empty if nothing does.

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
        extracted = _extracted(archive, folder)
        if not extracted and not path.is_file():
            places = sorted({Path(member).parts[0] for member in archive.members})
            missing.append(archive.name + "".join(f" (or the extracted folder {place}/)" for place in places))
            continue
        try:
            if extracted:
                _read_extracted(archive, folder)
            else:
                verify(path, archive, path, mirror_checksums(folder))
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


def verify_kept(path: Path) -> None:
    """Checks that an archive is still the one that `obtain` put there.

    Raises:
        DataError: it is not, or its checksum is not kept.
    """
    kept = checksum_file(path)
    try:
        expected, found = _read_checksums(kept).get(path.name), digest(path)
    except (OSError, DataError) as error:
        raise DataError(f"{path} cannot be verified: {error}. Delete it to have it fetched again.") from error
    if found != expected:
        raise DataError(
            f"{path} has changed since it was fetched: its SHA-256 is {found}, but {kept.name} states {expected}."
            " Delete it to have it fetched again."
        )


def obtain(dataset: str, archive: Archive, destination: Path, mirror: Path | None) -> None:
    """Puts a verified copy of the archive at `destination`, from the mirror if there is one, else by download.

    Its checksum is kept beside it, for `verify_kept`. Of an archive that the mirror has extracted, the members are
    packed into one again.

    Raises:
        DataError: it is nowhere to be had, or not what it should be.
    """
    _fetch(dataset, archive, destination, mirror)
    with atomic_write(checksum_file(destination)) as temporary:
        temporary.write_text(f"{digest(destination)}  {destination.name}\n")


def _fetch(dataset: str, archive: Archive, destination: Path, mirror: Path | None) -> None:
    if mirror is not None:
        source = mirror / dataset / archive.name
        if _extracted(archive, source.parent):
            contents = _read_extracted(archive, source.parent)
            with atomic_write(destination) as temporary:
                pack_members(temporary, contents)
            return
        if not source.is_file():
            raise DataError(f"The mirror has no {source}.")
        with atomic_write(destination) as temporary:
            shutil.copyfile(source, temporary)
            verify(temporary, archive, source, mirror_checksums(source.parent))
        return

    import pooch
    import requests

    downloader = pooch.HTTPDownloader(timeout=TIMEOUT)
    failures = []
    for _ in range(ROUNDS):
        for url in archive.urls:
            try:
                with atomic_write(destination) as temporary:
                    downloader(url, str(temporary), None)
                    verify(temporary, archive, url)
                return
            except (requests.RequestException, OSError, DataError) as error:
                failures.append(f"{url}: {error}")
                print(f"failed: {failures[-1]}", flush=True)
    raise DataError(f"{archive.name} could not be downloaded:\n  " + "\n  ".join(failures))
