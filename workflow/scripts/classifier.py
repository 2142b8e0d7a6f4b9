"""Trains the classifier that is to be attacked."""

import argparse
import json
from pathlib import Path
from pkgutil import resolve_name

from ocnn.steps.attack import fit_classifier
from ocnn.steps.runtime import job, use_threads

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--dataset", required=True, help="package.module:OBJECT")
parser.add_argument("--pixels", type=Path, nargs="+", required=True)
parser.add_argument("--settings", type=json.loads, required=True, help="JSON: see fit_classifier")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--weights", type=Path, required=True)
parser.add_argument("--record", type=Path, required=True)
arguments = parser.parse_args()

use_threads(arguments.threads)
with job():
    fit_classifier(
        resolve_name(arguments.dataset),
        {path.name: path for path in arguments.pixels},
        arguments.weights,
        arguments.record,
        **arguments.settings,
    )
