"""Nothing that is read can run code or fill the memory; ruff's rules in pyproject.toml forbid most of what could."""

import ast
import gzip
import json
import os
import pickle
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from ocnn.data import gtsrb
from ocnn.data.splits import SCHEMA as SPLIT_SCHEMA
from ocnn.errors import OcnnError
from ocnn.results.published import read_claims
from ocnn.storage.arrays import open_array, read_arrays
from tests.conftest import ROOT
from tests.data.test_gtsrb import ppm, sign

SOURCES = sorted(path for folder in ("ocnn", "workflow") for path in (ROOT / folder).rglob("*.py"))


class Planted:
    """An object that makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_extracted_and_no_pickle_allowed(path: Path) -> None:
    """What ruff has no rule for."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            assert name not in ("extract", "extractall", "load_model"), f"line {node.lineno}"
            for keyword in node.keywords:
                refused = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                assert keyword.arg != "allow_pickle" or refused, f"line {node.lineno}"


def test_a_planted_object_is_never_made(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    objects = np.array([Planted(canary)], object)
    pickle.loads(pickle.dumps(Planted(canary)))
    assert canary.exists()  # that is how it would show
    canary.unlink()
    np.save(tmp_path / "a.npy", objects)
    np.savez(tmp_path / "a.npz", images=objects)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(objects))
    (tmp_path / "a.yaml").write_text(f"- !!python/object/apply:os.mkdir [{canary}]")
    yaml.unsafe_load((tmp_path / "a.yaml").read_text())
    assert canary.exists()
    canary.rmdir()
    for read, file in ((open_array, "a.npy"), (open_array, "b.npy"), (read_arrays, "a.npz"), (read_claims, "a.yaml")):
        with pytest.raises(OcnnError, match=file):
            read(tmp_path / file)
    assert not canary.exists()


#: Bytes that a hostile file asks for, and those by which a reader may grow.
ASKED, ALLOWED = 2**27, 2**26

#: Runs each of the lines that it is given, and says of each what came of it and by how much memory grew meanwhile.
PROGRAM = """
import json, re, sys
from pathlib import Path
from ocnn.errors import OcnnError
from ocnn.data import archives, gtsrb
from ocnn.data.formats.idx import read_idx
from ocnn.data.formats.picture import read_picture
from ocnn.data.formats.tar import read_members
from ocnn.data.formats.zip import open_zip
from ocnn.data.splits import read_split
from ocnn.data.tables import table_dataset

def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

for kind, (path, code) in json.load(sys.stdin).items():
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins again
    before, path, said = peak(), Path(path), "read"
    try:
        exec(code)
    except OcnnError as error:
        said = f"refused: {error}"
    print(json.dumps([kind, [said, peak() - before]]))
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, int]]:
    """What came of reading each hostile file, by its kind; one process reads them all."""
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("memory is measured as Linux tells it")
    orders = {"nothing hostile": (".", f"held = b'x' * {ASKED}; del held")}
    for number, (kind, (make, read, _)) in enumerate(HOSTILE.items()):
        path = tmp_path_factory.mktemp(f"{number}") / "input.sha256"
        make(path)
        path.with_suffix("").touch()
        orders[kind] = (str(path), read)
    command, text = [sys.executable, "-c", PROGRAM], json.dumps(orders)
    run = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT, timeout=300)
    return dict(map(json.loads, run.stdout.splitlines()))


def zipped(path: Path, compression: int) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a", bytes(ASKED))


def zipped_and_understated(path: Path, compression: int) -> None:
    """The directory says that the member has a thousand bytes."""
    zipped(path, compression)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", ASKED), struct.pack("<I", 1000)))


def long_directory(path: Path) -> None:
    """The end of a zip archive that is nothing but directory."""
    with path.open("wb") as file:
        file.truncate(ASKED)
        file.seek(ASKED)
        file.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, ASKED, 0, 0))


def annotated(path: Path, table: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("GT-final_test.csv", table)
        archive.writestr(f"{TEST_IMAGES}/0.ppm", ppm(sign()))


def gzipped_zeros(path: Path, head: bytes) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head + bytes(ASKED))


def member(size: int) -> bytes:
    info = tarfile.TarInfo("a")
    info.size = size
    return info.tobuf()


def write_parquet(path: Path, table: pa.Table, texts: Mapping[str, str], **options: Any) -> None:
    names = ("shift", "scale", "sha256", *texts)
    metadata = {f"ocnn.{name}": texts.get(name, "null") for name in names}
    with pq.ParquetWriter(path, table.schema, **options) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(metadata)


def split_table(rows: int, text: str = "a") -> pa.Table:
    """A table of splits whose columns are all constant."""
    columns = []
    for field in SPLIT_SCHEMA:
        if pa.types.is_dictionary(field.type):
            codes = pa.array(np.zeros(rows, field.type.index_type.to_pandas_dtype()))
            columns.append(pa.DictionaryArray.from_arrays(codes, pa.array([text])))
        else:
            columns.append(pa.array(np.zeros(rows, field.type.to_pandas_dtype())))
    return pa.Table.from_arrays(columns, schema=SPLIT_SCHEMA)


def with_long_footer(path: Path) -> None:
    write_parquet(path, split_table(1), {})
    content = path.read_bytes()
    with path.open("wb") as file:
        file.write(content[:-8])
        file.truncate(ASKED)
        file.seek(ASKED)
        file.write(struct.pack("<I", ASKED - 100) + b"PAR1")


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, ASKED)


def table_of(path: Path, suffix: str, column: Any, stream: bool = False) -> None:
    """A small file of a table, of one value repeated."""
    path = path.with_suffix(suffix)
    if suffix == ".npz":
        np.savez_compressed(path, X=column[:, None], y=np.zeros(len(column), np.int8))
        return
    table = pa.table({"x": column, "label": pa.nulls(len(column), pa.int8())})
    if suffix == ".parquet":
        pq.write_table(table, path, compression="zstd")
        return
    opened = pa.ipc.new_stream if stream else pa.ipc.new_file
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.OSFile(str(path), "wb") as file, opened(file, table.schema, options=options) as writer:
        writer.write_table(table)


def read_table_of(suffix: str) -> str:
    return f"table_dataset(name='a', file=str(path.with_suffix({suffix!r})), normal='all')"


TEST_IMAGES = "GTSRB/Final_Test/Images"
HEADER = ";".join(gtsrb.COLUMNS).encode()
READ_ZIP = "with open_zip(path) as archive: archive.read('a')"
READ_TEST = "gtsrb.read_test(path, path)"
FEW = 10_000_000
#: How a file is made, how it is read, and what is said of it.
HOSTILE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "zip, stored": (partial(zipped, compression=zipfile.ZIP_STORED), READ_ZIP, "too large"),
    "zip, deflate": (partial(zipped, compression=zipfile.ZIP_DEFLATED), READ_ZIP, "too large"),
    "zip, bzip2": (partial(zipped_and_understated, compression=zipfile.ZIP_BZIP2), READ_ZIP, "neither stored nor"),
    "zip, lzma": (partial(zipped_and_understated, compression=zipfile.ZIP_LZMA), READ_ZIP, "neither stored nor"),
    "zip, understated": (partial(zipped_and_understated, compression=zipfile.ZIP_DEFLATED), READ_ZIP, "corrupt"),
    "zip, directory": (long_directory, READ_ZIP, "its directory is too long"),
    "annotations, columns": (partial(annotated, table=b"a;" * 2**20), READ_TEST, "has columns"),
    "annotations, fields": (partial(annotated, table=HEADER + b"\n" + b";" * 2**20), READ_TEST, "must have 8 fields"),
    "annotations, rows": (
        partial(annotated, table=HEADER + b"\n0.ppm;9;9;0;0;9;9;0" * 90_000),
        READ_TEST,
        "that another row names",
    ),
    "annotations, digits": (
        partial(annotated, table=HEADER + b"\n0.ppm;9;9;0;0;9;9;" + b"9" * 2**20),
        READ_TEST,
        "damaged annotations",
    ),
    "annotations, length": (partial(annotated, table=HEADER + b"\n" * 2**24), READ_TEST, "too large"),
    "idx": (
        partial(gzipped_zeros, head=struct.pack(">IIII", 0x803, 1, 2, 3)),
        "read_idx(path, (1, 2, 3))",
        "more than the 6 bytes",
    ),
    "idx, shape": (
        partial(gzipped_zeros, head=struct.pack(">IIII", 0x803, 2**14, 2**7, 2**7)),
        "read_idx(path, (1, 2, 3))",
        "states shape",
    ),
    "tar": (partial(gzipped_zeros, head=member(ASKED)), "read_members(path, ['a'])", "too large"),
    "tar, another member": (partial(gzipped_zeros, head=member(ASKED)), "read_members(path, ['b'])", "lacks b"),
    "checksums": (sparse, "archives.verify_kept(path.with_suffix(''), archives.Archive('a', (), ''))", "longer than"),
    "own table, Parquet": (
        lambda path: table_of(path, ".parquet", np.zeros(ASKED // 8)),
        read_table_of(".parquet"),
        "bytes in memory, far more than its own; state its checksum",
    ),
    **{
        f"own table, Arrow {kind}": (
            partial(table_of, suffix=".arrow", column=column, stream=kind == "stream"),
            read_table_of(".arrow"),
            "bytes in memory",
        )
        for kind, column in (
            ("file", np.zeros(ASKED // 8)),
            ("stream", np.zeros(ASKED // 8)),
            ("nothing", pa.nulls(ASKED // 8)),
            ("text", pa.array(["a" * ASKED])),
            ("dictionary", pa.array(["a" * ASKED]).dictionary_encode()),
        )
    },
    "own table, NPZ": (
        lambda path: table_of(path, ".npz", np.zeros(ASKED // 8)),
        read_table_of(".npz"),
        "too large",
    ),
    "own table, NPZ of bytes": (
        lambda path: table_of(path, ".npz", np.zeros(ASKED // 16, np.int8)),
        read_table_of(".npz"),
        "bytes in memory",
    ),
    "own picture": (
        lambda path: Image.new("L", (8000, 8000)).save(path, "PNG"),
        "read_picture(path, (4, 4), 1)",
        "bytes in memory, far more than its own",
    ),
    "table, rows": (lambda path: write_parquet(path, split_table(FEW + 1), {}), "read_split(path)", "10000001 rows"),
    "table, compressed": (
        lambda path: write_parquet(path, split_table(FEW), {}, compression="zstd", use_dictionary=False),
        "read_split(path)",
        "is compressed",
    ),
    "table, text": (
        lambda path: write_parquet(path, split_table(1, "a" * ASKED), {}, compression="zstd", write_statistics=False),
        "read_split(path)",
        "is compressed",
    ),
    "table, footer": (with_long_footer, "read_split(path)", "size that cannot be right"),
    "table, metadata": (
        lambda path: write_parquet(path, split_table(1), {"x": "a" * 2**25}, compression="none"),
        "read_split(path)",
        "size that cannot be right",
    ),
}


def test_what_a_process_needs_is_measured(outcomes: dict[str, tuple[str, int]]) -> None:
    assert outcomes["nothing hostile"][1] >= 0.9 * ASKED


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_small_file_fills_the_memory(kind: str, outcomes: dict[str, tuple[str, int]]) -> None:
    said, grown = outcomes[kind]
    assert re.search(f"refused: .*input.*{HOSTILE[kind][2]}", said)
    assert grown < ALLOWED
