"""Measures the score file of every fit into one table."""

import argparse
import json
from contextlib import nullcontext as job
from pathlib import Path

from ocnn.steps.metrics import collect_metrics

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--plan", type=json.loads, required=True, help="JSON: Plan.to_json()")
parser.add_argument("--scores", required=True, help="pattern of the score files")
parser.add_argument("--benchmarks", required=True, help="pattern of the benchmark files")
for name in ("metrics", "histories", "provenance"):
    parser.add_argument(f"--{name}", type=Path, required=True, help="an output")
arguments = parser.parse_args()

with job():
    collect_metrics(**vars(arguments))
