"""Reads a data set's archives and writes its images as they are, for an attack."""

import argparse
from pathlib import Path
from pkgutil import resolve_name

from ocnn.steps.data import prepare_pixels
from ocnn.steps.runtime import job

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--dataset", required=True, help="package.module:OBJECT")
parser.add_argument("--archives", type=Path, nargs="*", default=[])
parser.add_argument("--outputs", type=Path, nargs="+", required=True)
arguments = parser.parse_args()

with job():
    prepare_pixels(
        resolve_name(arguments.dataset),
        archives={path.name: path for path in arguments.archives},
        outputs={path.name: path for path in arguments.outputs},
    )
