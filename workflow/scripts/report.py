"""Puts tables, figures and provenance into one HTML file."""

import argparse
import json
from contextlib import nullcontext as job
from pathlib import Path

from ocnn.steps.report import make_report

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--plan", type=json.loads, required=True, help="JSON: Plan.to_json()")
parser.add_argument("--configuration", type=json.loads, required=True, help="JSON")
for name in ("metrics", "summary", "documents", "provenance", "figures", "benchmarks"):
    parser.add_argument(f"--{name}", type=Path, required=True)
parser.add_argument("--archives", type=Path, nargs="*", default=[])
parser.add_argument("--captions", type=Path, required=True, help="folder of the figures' captions")
parser.add_argument("--output", type=Path, required=True)
arguments = parser.parse_args()

with job():
    make_report(**vars(arguments))
