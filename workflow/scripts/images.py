"""Reads a data set's archives and writes its preprocessed arrays."""

import argparse
import json
from pathlib import Path

from ocnn.data import specified_dataset
from ocnn.data.adversarial import ATTACK_FILE
from ocnn.steps.data import prepare_images
from ocnn.steps.runtime import job

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--dataset", required=True, type=json.loads, help="JSON: see specified_dataset")
parser.add_argument("--archives", type=Path, nargs="*", default=[])
parser.add_argument("--attack", type=Path, help="the adversarial images")
parser.add_argument("--outputs", type=Path, nargs="+", required=True)
arguments = parser.parse_args()

with job():
    archives = {path.name: path for path in arguments.archives}
    if arguments.attack:
        archives[ATTACK_FILE] = arguments.attack
    prepare_images(
        specified_dataset(arguments.dataset),
        archives=archives,
        outputs={path.name: path for path in arguments.outputs},
    )
