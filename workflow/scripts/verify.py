"""Checks an attack by the saved classifier and writes its record, a row an image."""

import argparse
import json
from pathlib import Path
from pkgutil import resolve_name

from ocnn.steps.attack import verify_attack
from ocnn.steps.runtime import job, use_threads

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--dataset", required=True, help="package.module:OBJECT")
parser.add_argument("--pixels", type=Path, nargs="+", required=True)
parser.add_argument("--weights", type=Path, required=True, help="of the classifier")
parser.add_argument("--attack", type=Path, required=True)
parser.add_argument("--settings", type=json.loads, required=True, help="JSON: see verify_attack")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--output", type=Path, required=True)
arguments = parser.parse_args()

use_threads(arguments.threads)
with job():
    verify_attack(
        resolve_name(arguments.dataset),
        {path.name: path for path in arguments.pixels},
        arguments.weights,
        arguments.attack,
        arguments.output,
        **arguments.settings,
    )
