"""Reads a data set's archives and writes its preprocessed arrays."""

import argparse
from pathlib import Path

from ocnn.pipeline import prepare_images
from ocnn.runtime import plain_errors

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--dataset", required=True, help="package.module:OBJECT")
parser.add_argument("--archives", type=Path, nargs="*", default=[])
parser.add_argument("--outputs", type=Path, nargs="+", required=True)
arguments = parser.parse_args()

with plain_errors():
    prepare_images(
        arguments.dataset,
        archives={path.name: path for path in arguments.archives},
        outputs={path.name: path for path in arguments.outputs},
    )
