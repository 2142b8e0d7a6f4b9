"""Attacks test images of a class up to a number of steps, from where another job left off."""

import argparse
import json
from pathlib import Path
from pkgutil import resolve_name

from ocnn.steps.attack import attack_images
from ocnn.steps.runtime import job, use_threads

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--dataset", required=True, help="package.module:OBJECT")
parser.add_argument("--pixels", type=Path, nargs="+", required=True)
parser.add_argument("--weights", type=Path, required=True, help="of the classifier")
parser.add_argument("--previous", type=Path, nargs="?", help="the attack to go on with")
parser.add_argument("--steps", type=int, required=True)
parser.add_argument("--settings", type=json.loads, required=True, help="JSON: see attack_images")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--output", type=Path, required=True)
arguments = parser.parse_args()

use_threads(arguments.threads)
with job():
    attack_images(
        resolve_name(arguments.dataset),
        {path.name: path for path in arguments.pixels},
        arguments.weights,
        arguments.output,
        steps=arguments.steps,
        previous=arguments.previous,
        **arguments.settings,
    )
