"""The record of an attack, as tables and figures read it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ocnn.attacks.records import RECORD, read_record
from ocnn.config.plan import Plan, PlannedAttack, PlannedExperiment, PlannedMethod
from ocnn.errors import ResultError
from ocnn.steps.figures import draw_adversarial_images
from ocnn.steps.records import read_attacks
from ocnn.storage.parquet import write_table

ATTACKED = PlannedExperiment(
    "signs", ("stop",), ("kde",), (0,), "images", True, False, attack=PlannedAttack("stop", 10, True)
)
PLAN = Plan((ATTACKED,), (PlannedMethod("kde", "kde"),))


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Nine images at distances from 1 to 2."""
    rows = {"source": range(9), "label": "0", "before": "0", "after": "1", "l2": np.linspace(1, 2, 9)}
    frame = pd.DataFrame({**rows, "steps": 10, "seconds": 1.0, "replaced": 3})
    write_table(tmp_path / "stop-10.parquet", frame, RECORD, {"recipe": {}})
    return tmp_path / "stop-10.parquet"


def test_what_is_read_of_the_attacks(record: Path) -> None:
    (row,) = read_attacks(PLAN, f"{record.parent}/{{attack}}-{{steps}}.parquet").to_dict("records")
    expected = {"attack": "stop", "steps": 10, "held_out": True, "images": 9, "median_l2": 1.5, "replaced": 3}
    assert row == expected


def test_a_flipped_bit_is_noticed_by_every_reader(record: Path, tmp_path: Path) -> None:
    """Of the median distance, 1.5, which becomes 1.625."""
    content = bytearray(record.read_bytes())
    content[bytes(content).index(np.float64(1.5).tobytes()) + 6] ^= 0x02
    record.write_bytes(content)
    with pytest.raises(ResultError, match=r"stop-10\.parquet is damaged"):
        read_record(record)
    with pytest.raises(ResultError, match=r"stop-10\.parquet is damaged"):
        read_attacks(PLAN, f"{record.parent}/{{attack}}-{{steps}}.parquet")
    with pytest.raises(ResultError, match=r"stop-10\.parquet is damaged"):
        draw_adversarial_images(pixels=[], attack=tmp_path / "attack.npz", record=record, outputs=[])
