"""Writes Table 4, the experiments on attacked classes, as CSV and Markdown."""

import argparse
import json
from pathlib import Path

from ocnn.pipeline.report import make_table4
from ocnn.runtime import plain_errors

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--metrics", type=Path, required=True)
parser.add_argument("--published", type=Path, nargs="*", default=[])
parser.add_argument(
    "--datasets", type=json.loads, required=True, help="JSON: experiment → dataset of its published rows"
)
parser.add_argument(
    "--methods", type=json.loads, required=True, help="JSON: method → the published one to compare with"
)
parser.add_argument(
    "--attacks", type=json.loads, required=True, help="JSON: experiment → its attack, steps and held_out"
)
parser.add_argument("--records", required=True, help="pattern of the attacks' records")
parser.add_argument("--csv", type=Path, required=True)
parser.add_argument("--markdown", type=Path, required=True)
arguments = parser.parse_args()

with plain_errors():
    make_table4(
        arguments.metrics,
        arguments.published,
        arguments.datasets,
        arguments.methods,
        arguments.attacks,
        arguments.records,
        arguments.csv,
        arguments.markdown,
    )
