"""Fits one method on one split and writes the score of every sample."""

import argparse
import json
from pathlib import Path

from ocnn.steps.fit import fit_method
from ocnn.steps.runtime import job, use_threads

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--estimator", required=True, help="package.module:Class")
parser.add_argument("--split", type=Path, required=True)
parser.add_argument("--images", type=Path, nargs="+", required=True)
parser.add_argument("--autoencoder", type=Path, nargs="?")
parser.add_argument("--settings", type=json.loads, required=True, help="JSON")
parser.add_argument("--identity", type=json.loads, required=True, help="JSON: experiment, normal, method, seed")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--output", type=Path, required=True)
arguments = parser.parse_args()

use_threads(arguments.threads)
with job():
    fit_method(
        arguments.estimator,
        arguments.split,
        {path.name: path for path in arguments.images},
        arguments.output,
        settings=arguments.settings,
        identity=arguments.identity,
        autoencoder=arguments.autoencoder,
    )
