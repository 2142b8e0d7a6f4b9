"""Reads a data set's archives and writes its images as they are, for an attack."""

import argparse
from pathlib import Path

from ocnn.importing import load_object
from ocnn.pipeline.data import prepare_pixels
from ocnn.runtime import job

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--dataset", required=True, help="package.module:OBJECT")
parser.add_argument("--archives", type=Path, nargs="*", default=[])
parser.add_argument("--outputs", type=Path, nargs="+", required=True)
arguments = parser.parse_args()

with job():
    prepare_pixels(
        load_object(arguments.dataset),
        archives={path.name: path for path in arguments.archives},
        outputs={path.name: path for path in arguments.outputs},
    )
