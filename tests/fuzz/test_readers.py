"""Every reader on damaged files: only its documented error comes out, or, where the format has checksums, the content.

OCNN_FUZZ is the number of inputs for each reader; `make test-fuzz` sets a large one.
"""

import gzip
import hashlib
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ocnn.attacks.boundary import Attack, read_attack, write_attack
from ocnn.data import gtsrb
from ocnn.data.archives import Archive, mirror_checksums, verify_kept
from ocnn.data.cifar10 import parse_batch
from ocnn.data.formats.idx import read_idx
from ocnn.data.formats.picture import FORMATS, read_picture
from ocnn.data.formats.tar import pack_members, read_members
from ocnn.data.splits import Split, read_split, write_split
from ocnn.data.tables import table_dataset
from ocnn.errors import DataError, OcnnError, ResultError
from ocnn.results.measurements import job_cost
from ocnn.results.published import read_claims, read_published, read_runs, read_texts
from ocnn.results.scores import read_scores
from ocnn.storage.arrays import CHECKSUMS, open_array, read_arrays, write_arrays, write_npy_files
from ocnn.storage.parquet import read_statement as parquet_statement
from ocnn.storage.places import why_snakemake_would_fail
from tests.data.test_gtsrb import SIGN, annotations, ppm, sign, training, write_zip
from tests.fuzz.conftest import INPUTS, TIME
from tests.results.conftest import write as write_score_file

pytestmark = pytest.mark.long

#: Numbers that may be taken for a size, an offset or a count, by their bytes.
NUMBERS = [
    (number % 256**size).to_bytes(size, order)
    for number in (0, 1, -1, 2, 127, 255, 2**15, 2**31 - 1, 2**31, 2**40, 2**63 - 1, -(2**31), -512)
    for size in (1, 2, 4, 8)
    for order in ("little", "big")
]
Edit = tuple[str, int, int, bytes]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["truncate", "flip", "overwrite", "delete", "insert", "copy", "repeat"]),
        st.integers(0, 2**16),
        st.integers(0, 2**16),
        st.binary(min_size=1, max_size=16) | st.sampled_from(NUMBERS) | st.sampled_from([bytes(512), b"9" * 64]),
    ),
    min_size=1,
    max_size=5,
)


def damaged(content: bytes, edits: Sequence[Edit]) -> bytes:
    """The content after these edits, whose places count modulo its length."""
    for kind, place, other, block in edits:
        start = place % (len(content) + 1)
        source = other % (len(content) + 1)
        extent = other % 64 + 1
        head, tail = content[:start], content[start:]
        if kind == "truncate":
            content = head
        elif kind == "flip":
            content = head + bytes(byte ^ (1 << other % 8) for byte in tail[:1]) + tail[1:]
        elif kind == "overwrite":
            content = head + block + tail[len(block) :]
        elif kind == "delete":
            content = head + tail[extent:]
        elif kind == "insert":
            content = head + block + tail
        elif kind == "copy":
            content = head + content[source : source + extent] + tail[extent:]
        else:
            content = head + content[source : source + 8 * extent] + tail
    return content


@dataclass(frozen=True)
class Reader:
    """A reader of one kind of file.

    good: the content of a good file.
    read: gets the path of a file.
    error: what it may raise; the message must name the folder of the file.
    exact: whether what comes back must be what comes from a good file.
    write: makes the file of the damaged content, as by packing it into an archive whose checksums are right.
    name: of the file.
    cost: of how many inputs for other readers one is worth.
    """

    good: bytes
    read: Callable[[Path], Any]
    error: type[OcnnError]
    exact: bool = False
    write: Callable[[Path, bytes], Any] = Path.write_bytes
    name: str = "input"
    cost: int = 1


def written(write: Callable[[Path], Any]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "good")
        return (Path(folder) / "good").read_bytes()


def gzipped(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, 1))


def stored(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", content)


def plain(arrays: dict[str, Any]) -> dict[str, Any]:
    """Arrays in a form that can be compared."""
    return {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}


BASE = "GTSRB/Final_Test/Images"
IMAGES = {f"{BASE}/0.ppm": ppm(sign()), f"{BASE}/1.ppm": ppm(sign()[:, ::-1])}
ANNOTATIONS = annotations([("0.ppm", *SIGN[1:], 3), ("1.ppm", *SIGN[1:], 42)])
MEMBERS = {"folder/a.bin": b"first" * 200, "folder/b.bin": b"second"}
TAR = written(lambda path: pack_members(path, MEMBERS))
IDX = b"\0\0\x08\x03" + np.array([2, 3, 4], ">u4").tobytes() + bytes(range(24))
CSV = b"dataset,class,method,auc_mean,auc_std\nmnist,0,kde,97.1,0.0\nmnist,1,kde,98.9,\n"
RUNS = b"dataset,class,method,seed,auc,notebook,cell\nmnist,0,kde,42,97.1,a b.ipynb,2\nmnist,0,kde,56,98,a b.ipynb,2\n"
CLAIMS = b"""# The claims.
- {name: first, says: "It is 'better'.", where: p. 4, dataset: mnist, better: [rcae], than: others, over: classes}
- name: second
  says: All are found.
  where: Figure 2
  dataset: synthetic
  detects_all: ocnn
"""
SCORES = written(lambda path: write_score_file(path, [1, 2.5, 2, 3]))
SMALL = np.arange(6, dtype=np.float32).reshape(3, 2)
ATTACK = Attack(np.ones((2, 3, 3, 1), np.float32), np.arange(2), np.arange(0), np.ones(2), np.ones(2), 7, 1.5)


def write_good_split(path: Path) -> None:
    rows = pd.DataFrame({"evaluation": ["train", "train", "test"], "sample": range(3), "label": ["a", "b", "a"]})
    rows = rows.assign(is_anomaly=rows["label"] == "b", holdout=False)
    rows = rows.assign(part=rows["evaluation"], fitted=rows["evaluation"] == "train")
    write_split(path, Split(rows, -1.5, 2.0), {"seed": 0})


def read_rows_and_metadata(path: Path) -> str:
    scores, metadata = read_scores(path)
    return repr((scores.to_dict("list"), metadata))


def read_ends(path: Path) -> str:
    return repr(parquet_statement(path))


def read_rows(path: Path) -> dict[str, Any]:
    """The rows of an array with the checksums of the whole file beside it."""
    content = path.read_bytes()
    write_npy_files([path, path.with_name(CHECKSUMS)], {path.name: SMALL}, {})
    path.write_bytes(content)
    return plain({"rows": np.asarray(open_array(path))})


def read_split_rows(path: Path) -> str:
    split = read_split(path)
    return repr((split.samples.to_dict("list"), split.shift, split.scale))


def read_test_part(images: Path, labels: Path) -> dict[str, Any]:
    return plain(dict(zip(("images", "labels"), gtsrb.read_test(images, labels), strict=True)))


def read_test_images(path: Path) -> dict[str, Any]:
    return read_test_part(path, write_zip(path.with_name("labels.zip"), {"GT-final_test.csv": ANNOTATIONS}))


OWN = pd.DataFrame({"x": [1.5, 2, 3, 4], "kind": [*"abab"], "label": [0, 0, 1, 1]})


def read_own_table(path: Path) -> dict[str, Any]:
    return plain(vars(table_dataset(name="toy", file=str(path), normal=[0], test_share=0.5).load({})))


def read_kept(path: Path) -> None:
    path.with_name("archive").write_bytes(b"the archive")
    verify_kept(path.with_name("archive"), Archive("archive", (), "0" * 64))


READERS = {
    "idx, compressed": Reader(
        gzip.compress(IDX, mtime=0), lambda path: plain({"": read_idx(path, (2, 3, 4))}), DataError, exact=True
    ),
    "idx": Reader(IDX, lambda path: read_idx(path, (2, 3, 4)), DataError, write=gzipped),
    "cifar10 batch": Reader(
        bytes(2 * 3073), lambda path: parse_batch(path.read_bytes(), str(path), records=2), DataError
    ),
    "tar": Reader(TAR, lambda path: read_members(path, MEMBERS), DataError),
    "tar, compressed": Reader(gzip.compress(TAR, mtime=0), lambda path: read_members(path, MEMBERS), DataError),
    "tar in gzip": Reader(TAR, lambda path: read_members(path, MEMBERS), DataError, write=gzipped),
    "gtsrb training archive": Reader(
        written(lambda path: write_zip(path, training())),
        lambda path: plain(dict(zip("xy", gtsrb.read_training(path), strict=True))),
        DataError,
        exact=True,
        cost=10,
    ),
    "gtsrb test archive": Reader(
        written(lambda path: write_zip(path, IMAGES)), read_test_images, DataError, exact=True
    ),
    "gtsrb image": Reader(
        ppm(sign()),
        read_test_images,
        DataError,
        write=lambda path, content: write_zip(path, {**IMAGES, f"{BASE}/1.ppm": content}),
    ),
    "gtsrb annotations": Reader(
        ANNOTATIONS,
        lambda path: read_test_part(write_zip(path.with_name("images.zip"), IMAGES), path),
        DataError,
        write=lambda path, content: write_zip(path, {"GT-final_test.csv": content}),
    ),
    **{
        f"table, {suffix}": Reader(written(write), read_own_table, DataError, name=f"input.{suffix}", cost=4)
        for suffix, write in {
            "csv": lambda path: OWN.to_csv(path, index=False),
            "parquet": lambda path: OWN.to_parquet(path),
            "feather": lambda path: OWN.to_feather(path),
            "npz": lambda path: np.savez_compressed(
                path.open("wb"), X=np.tile(SMALL, (2, 1)), y=np.arange(2 * len(SMALL)) % 2
            ),
        }.items()
    },
    **{
        f"picture, {form}": Reader(
            written(partial(Image.fromarray(sign()).save, format=form)),
            lambda path: read_picture(path, (4, 5), 1).tobytes(),
            DataError,
        )
        for form in FORMATS
    },
    "SHA256SUMS": Reader(
        f"{'a' * 64}  archive.gz\n{'b' * 64} *b/c.bin\n".encode(),
        lambda path: mirror_checksums(path.parent),
        DataError,
        name="SHA256SUMS",
    ),
    "kept checksum": Reader(
        f"{hashlib.sha256(b'the archive').hexdigest()}  archive\n".encode(), read_kept, DataError, name="archive.sha256"
    ),
    "records of Snakemake": Reader(
        b'{"rule": "fit", "input": ["a"], "params": []}',
        lambda path: why_snakemake_would_fail(path.parent.parent) and None,
        ResultError,
        name="metadata/input",
    ),
    "score file": Reader(SCORES, read_rows_and_metadata, ResultError, exact=True),
    "score file, its ends": Reader(SCORES, read_ends, ResultError),
    "split file": Reader(written(write_good_split), read_split_rows, ResultError, exact=True),
    "attack": Reader(
        written(lambda path: write_attack(path, ATTACK)),
        lambda path: plain({name: np.asarray(value) for name, value in vars(read_attack(path)).items()}),
        ResultError,
        exact=True,
    ),
    "weights": Reader(
        written(lambda path: write_arrays(path, {"weight_0": SMALL, "weight_1": SMALL[0]})),
        lambda path: plain(read_arrays(path, ["weight_0", "weight_1"])),
        ResultError,
        exact=True,
    ),
    "array in npz": Reader(
        written(lambda path: np.save(path.open("wb"), SMALL)),
        read_arrays,
        ResultError,
        write=stored,
    ),
    "npy": Reader(
        written(lambda path: np.save(path.open("wb"), SMALL)), read_rows, ResultError, exact=True, name="input.npy"
    ),
    "published AUCs": Reader(CSV, lambda path: read_published([path]), ResultError),
    "published runs": Reader(RUNS, read_runs, ResultError),
    "published texts": Reader(CSV, read_texts, ResultError),
    "claims": Reader(CLAIMS, read_claims, ResultError),
    "benchmark": Reader(b"s\th:m:s\tmax_rss\n12.5\t0:00:12\t-\n", job_cost, ResultError),
}


@pytest.mark.parametrize("kind", READERS)
def test_of_a_damaged_file_comes_the_documented_error_or_its_content(kind: str, tmp_path: Path) -> None:
    reader, path = READERS[kind], tmp_path / READERS[kind].name
    path.parent.mkdir(exist_ok=True)
    reader.write(path, reader.good)
    content = reader.read(path)
    counts: Counter[str] = Counter()

    @settings(max_examples=max(1, INPUTS // reader.cost), deadline=TIME)
    @given(st.binary(max_size=200) | EDITS)
    def check(change: bytes | Sequence[Edit]) -> None:
        reader.write(path, change if isinstance(change, bytes) else damaged(reader.good, change))
        try:
            found, message = reader.read(path), None
        except reader.error as error:
            found, message = None, str(error)
        counts["read" if message is None else "refused"] += 1
        if message is not None:
            assert str(tmp_path) in message
        elif reader.exact:
            assert found == content

    check()
    print(f"{kind}: {counts.total()} inputs, {counts['refused']} refused")
