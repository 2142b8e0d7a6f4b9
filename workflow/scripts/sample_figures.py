"""Draws the figures that come from the first seed's score files."""

import argparse
import json
from contextlib import nullcontext as job
from pathlib import Path

from ocnn.steps.figures import draw_samples

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--plan", type=json.loads, required=True, help="JSON: Plan.to_json()")
parser.add_argument("--scores", required=True, help="pattern of the score files")
parser.add_argument("--images", required=True, help="pattern of the arrays")
parser.add_argument("--folder", type=Path, required=True, help="of the figures")
arguments = parser.parse_args()

with job():
    draw_samples(**vars(arguments))
