"""Writes every table, the verdicts and the claims."""

import argparse
import json
from contextlib import nullcontext as job
from pathlib import Path

from ocnn.steps.tables import make_tables

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--plan", type=json.loads, required=True, help="JSON: Plan.to_json()")
parser.add_argument("--metrics", type=Path, required=True)
for name in ("summary", "references", "provenance"):
    parser.add_argument(f"--{name}", type=Path, required=True)
parser.add_argument("--splits", required=True, help="pattern of the splits")
parser.add_argument("--images", required=True, help="pattern of the training arrays")
parser.add_argument("--records", required=True, help="pattern of the attacks' records")
parser.add_argument("--folder", type=Path, required=True, help="of the results")
arguments = parser.parse_args()

with job():
    make_tables(**vars(arguments))
