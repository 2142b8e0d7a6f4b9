"""Draws the figures that come from measurements."""

import argparse
import json
from contextlib import nullcontext as job
from pathlib import Path

from ocnn.steps.figures import draw_comparisons

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--plan", type=json.loads, required=True, help="JSON: Plan.to_json()")
parser.add_argument("--metrics", type=Path, required=True)
parser.add_argument("--histories", type=Path, required=True)
parser.add_argument("--summary", type=Path, required=True)
parser.add_argument("--records", required=True, help="pattern of the attacks' records")
parser.add_argument("--folder", type=Path, required=True, help="of the figures")
arguments = parser.parse_args()

with job():
    draw_comparisons(**vars(arguments))
