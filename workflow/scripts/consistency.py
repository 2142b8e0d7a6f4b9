"""Writes how alike the seeds of every method rank the training samples."""

import argparse
import json
from contextlib import nullcontext as job
from pathlib import Path

from ocnn.steps.metrics import make_consistency

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--plan", type=json.loads, required=True, help="JSON: Plan.to_json()")
parser.add_argument("--scores", required=True, help="pattern of the score files")
parser.add_argument("--output", type=Path, required=True)
arguments = parser.parse_args()

with job():
    make_consistency(**vars(arguments))
