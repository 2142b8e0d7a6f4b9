"""Draws the split of one normal class and seed."""

import argparse
import json
from pathlib import Path

from ocnn.data import specified_dataset
from ocnn.steps.data import make_split
from ocnn.steps.runtime import job

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--dataset", type=json.loads, required=True, help="JSON: see specified_dataset")
parser.add_argument("--images", type=Path, nargs="+", required=True)
parser.add_argument("--normal", required=True)
parser.add_argument("--contamination", type=float, required=True)
parser.add_argument("--holdout", type=float, required=True)
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--output", type=Path, required=True)
arguments = parser.parse_args()

with job():
    make_split(
        specified_dataset(arguments.dataset),
        {path.name: path for path in arguments.images},
        arguments.output,
        normal_class=arguments.normal,
        contamination=arguments.contamination,
        holdout=arguments.holdout,
        seed=arguments.seed,
    )
