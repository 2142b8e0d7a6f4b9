"""What the steps of tables and figures read of the attacks."""

from pathlib import Path

import pandas as pd

from ocnn.attacks.records import read_record
from ocnn.config.plan import Plan


def read_attacks(plan: Plan, records: str) -> pd.DataFrame:
    """Read how the adversarial images of each attacked experiment were made.

    Args:
        records: pattern of the attacks' records, with {attack} and {steps}: one row per image.

    Returns:
        By experiment: attack, steps, held_out, images, median_l2 (pixels in [0, 1]) and replaced (sources for which no
        misclassified image was found).

    Raises:
        ResultError: a record is missing or damaged.
    """
    rows = {}
    for name, attack in plan.attacked.items():
        record = read_record(Path(records.format(**vars(attack))))
        l2, replaced = float(record["l2"].median()), int(record["replaced"].iloc[0])
        rows[name] = {**vars(attack), "images": len(record), "median_l2": l2, "replaced": replaced}
    return pd.DataFrame.from_dict(rows, orient="index")
