"""Draws what the number of steps does to an attack's images and to the methods that are to find them."""

import argparse
from pathlib import Path

from ocnn.pipeline.report import draw_attack_strength
from ocnn.runtime import plain_errors

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--table", type=Path, required=True, help="Table 4 as CSV")
parser.add_argument("--outputs", type=Path, nargs="+", required=True)
arguments = parser.parse_args()

with plain_errors():
    draw_attack_strength(arguments.table, arguments.outputs)
