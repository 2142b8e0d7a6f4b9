"""Obtains one archive of a data set, from the mirror OCNN_MIRROR names or by download."""

import argparse
import os
from pathlib import Path
from pkgutil import resolve_name

from ocnn.data.archives import obtain
from ocnn.steps.runtime import job

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--dataset", required=True, help="package.module:OBJECT")
parser.add_argument("--archive", required=True, help="file name")
parser.add_argument("--output", type=Path, required=True)
arguments = parser.parse_args()

with job():
    dataset = resolve_name(arguments.dataset)
    archive = next(archive for archive in dataset.archives if archive.name == arguments.archive)
    mirror = os.environ.get("OCNN_MIRROR")
    obtain(dataset.name, archive, arguments.output, Path(mirror) if mirror else None)
