"""Writes Table 3 as CSV and Markdown."""

import argparse
import json
from pathlib import Path

from ocnn.pipeline.report import make_table3
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
parser.add_argument("--csv", type=Path, required=True)
parser.add_argument("--markdown", type=Path, required=True)
arguments = parser.parse_args()

with plain_errors():
    make_table3(
        arguments.metrics,
        arguments.published,
        arguments.datasets,
        arguments.methods,
        arguments.csv,
        arguments.markdown,
    )
