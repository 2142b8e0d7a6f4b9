"""Trains the autoencoder that the deep methods of a split share."""

import argparse
import json
from pathlib import Path

from ocnn.steps.fit import pretrain
from ocnn.steps.runtime import job, use_threads

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--split", type=Path, required=True)
parser.add_argument("--images", type=Path, nargs="+", required=True)
parser.add_argument("--settings", type=json.loads, required=True, help="JSON")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--output", type=Path, required=True)
arguments = parser.parse_args()

use_threads(arguments.threads)
with job():
    pretrain(arguments.split, {path.name: path for path in arguments.images}, arguments.output, arguments.settings)
