"""Footers of Parquet files: what pyarrow says of whole ones; of damaged ones an error, not the end of the process."""

import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ocnn.data.tables import table_dataset
from ocnn.errors import DataError, ResultError
from ocnn.results.scores import read_scores
from ocnn.storage.footers import MAGIC, UNCOMPRESSED, Chunk, read_footer, structure
from ocnn.storage.parquet import read_statement
from tests.results.conftest import write as write_score_file

TABLE = pa.table(
    {
        "whole": pa.array(range(1000), pa.int64()),
        "real": np.linspace(-1, 1, 1000),
        "text": [str(number % 7) for number in range(1000)],
        "truth": [number % 3 == 0 for number in range(1000)],
        "list": [[number, number + 1] for number in range(1000)],
        "record": [{"a": number, "b": "x"} for number in range(1000)],
    },
    metadata={b"note": bytes(300)},
)


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
@pytest.mark.parametrize("rows", [1000, 300, 40])
def test_what_pyarrow_says(tmp_path: Path, compression: str, rows: int) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet", compression=compression, row_group_size=rows)
    metadata = pq.read_metadata(tmp_path / "a.parquet")
    groups = read_footer(tmp_path / "a.parquet", 2**24)
    assert [count for count, _ in groups] == [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    for number, (_, chunks) in enumerate(groups):
        known = [metadata.row_group(number).column(column) for column in range(metadata.num_columns)]
        assert [chunk.name for chunk in chunks] == [column.path_in_schema for column in known]
        assert [chunk.values for chunk in chunks] == [column.num_values for column in known]
        assert [chunk.compressed for chunk in chunks] == [column.total_compressed_size for column in known]
        assert [chunk.uncompressed for chunk in chunks] == [column.total_uncompressed_size for column in known]
        assert {chunk.codec == UNCOMPRESSED for chunk in chunks} == {compression == "none"}


def test_a_table_without_rows_has_no_group_or_an_empty_one(tmp_path: Path) -> None:
    pq.write_table(TABLE[:0], tmp_path / "a.parquet")
    assert sum(count for count, _ in read_footer(tmp_path / "a.parquet", 2**24)) == 0


@pytest.mark.parametrize(
    ("content", "known"),
    [
        # A field of each type: the step to its number and the type in a byte, then the value; 0 ends.
        ("14 05 00", {1: -3}),
        ("15 03 00", {1: -2}),
        ("16 80 01 00", {1: 64}),
        ("16 fe" + " ff" * 8 + " 01 00", {1: 2**63 - 1}),
        ("11 12 13 7f 00", {1: True, 2: False, 3: 127}),
        ("18 02 68 69 00", {1: b"hi"}),
        ("17 000000000000f03f 00", {1: 1.0}),
        ("19 35 02 03 06 00", {1: [1, -2, 3]}),
        ("19 17 000000000000f03f 00", {1: [1.0]}),
        ("1a 22 01 02 00", {1: [1, 2]}),
        ("1b 01 85 01 78 0e 00", {1: [(b"x", 7)]}),
        ("1b 00 00", {1: []}),
        ("1c 15 02 00 25 04 00", {1: {1: 1}, 3: 2}),
        # A number that is no step of 1 to 15 stands by itself.
        ("05 c8 01 02 00", {100: 1}),
        ("19 f5 10" + " 02" * 16 + " 00", {1: [1] * 16}),
    ],
)
def test_the_compact_protocol_by_hand(content: str, known: dict[int, object]) -> None:
    assert structure(bytes.fromhex(content))[0] == known


@pytest.mark.parametrize(
    "content",
    [
        "",
        "15",
        "15 80",
        "15" + " ff" * 11,
        "18 05 68",
        "19 f5 ff ff ff ff 0f 02",
        "1e 00",
        "1d 00",
        "1b 7f 55 00",
        "1c" * 40,
    ],
)
def test_what_is_cut_off_or_unknown(content: str) -> None:
    with pytest.raises((ValueError, IndexError, struct.error)):
        structure(bytes.fromhex(content))


def test_more_is_not_taken_than_there_is() -> None:
    assert structure(bytes.fromhex("15 02 18 02 68 69 00"))[0] == {1: 1, 2: b"hi"}
    with pytest.raises(ValueError, match="more values than bytes"):
        structure(bytes.fromhex("15 02 18 03 68 69"))


def test_counts_and_sizes_are_not_negative(tmp_path: Path) -> None:
    """A footer by hand: one group of rows, of one column, `x`."""
    path = tmp_path / "a.parquet"

    def footer(codec: int, values: int, uncompressed: int, compressed: int, rows: int) -> list[tuple[int, list[Chunk]]]:
        # Small numbers in a byte: 2n, or −2n − 1 where n is negative.
        of = [(number << 1) ^ (number >> 7) for number in (codec, values, uncompressed, compressed, rows)]
        text = "491c 191c 3c 3918 0178 15{:02x} 16{:02x} 16{:02x} 16{:02x} 00 00 26{:02x} 00 00"
        content = bytes.fromhex(text.format(*of))
        path.write_bytes(MAGIC + content + struct.pack("<I", len(content)) + MAGIC)
        return read_footer(path, 100)

    assert footer(0, 0, 0, 0, 0) == [(0, [Chunk("x", 0, 0, 0, 0)])]
    assert footer(6, 5, 4, 3, 2) == [(2, [Chunk("x", 6, 5, 4, 3)])]
    for place in range(5):
        numbers = [1] * 5
        numbers[place] = -1
        with pytest.raises(ValueError, match="its metadata are damaged"):
            footer(*numbers)


def test_files_that_are_no_parquet_files(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(TABLE, path)
    whole = path.read_bytes()
    length = struct.unpack("<I", whole[-8:-4])[0]
    for content, reason in [
        (b"", "begin"),
        (b"PAR2" + whole[4:], "begin"),
        (MAGIC, "end"),
        (whole[:-1], "end"),
        (whole[:-4] + b"PARE", "end"),
        (MAGIC + whole[-length:], "longer than the file"),
        (MAGIC + whole[-length - 3 :], "longer than the file"),
        (whole[: -8 - length] + bytes(length) + whole[-8:], "damaged"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=reason):
            read_footer(path, 2**24)
    # A file may be its footer alone.
    path.write_bytes(MAGIC + whole[-8 - length :])
    assert len(read_footer(path, 2**24)) == 1
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="of a size that cannot be right"):
        read_footer(path, length - 1)
    read_footer(path, length)


def test_a_flipped_bit_anywhere_in_a_footer_ends_no_process(tmp_path: Path) -> None:
    """Of a score file and of a table of one's own; found by fuzzing: pyarrow called `terminate`."""
    scores, own = tmp_path / "scores.parquet", tmp_path / "own.parquet"
    write_score_file(scores, [1, 2.5, 2, 3])
    pd.DataFrame({"x": np.arange(8.0), "label": list("aaaabbbb")}).to_parquet(own, compression="zstd")
    for path, read, error in (
        (scores, lambda: (read_scores(scores), read_statement(scores)), ResultError),
        (own, lambda: table_dataset(name="own", file=str(own), normal=["a"]).sizes, DataError),
    ):
        whole = path.read_bytes()
        first = len(whole) - 8 - struct.unpack("<I", whole[-8:-4])[0]
        outcomes = set()
        for place in range(first, len(whole)):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << place % 8
            path.write_bytes(damaged)
            try:
                read()
                outcomes.add("read")
            except error as found:
                outcomes.add("refused" if str(path) in str(found) else str(found))
        assert outcomes == {"read", "refused"}
