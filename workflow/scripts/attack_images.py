"""Draws sources, adversarial images and their differences of one attack."""

import argparse
from contextlib import nullcontext as job
from pathlib import Path

from ocnn.steps.figures import draw_adversarial_images

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--pixels", type=Path, nargs="+", required=True)
parser.add_argument("--attack", type=Path, required=True)
parser.add_argument("--record", type=Path, required=True)
parser.add_argument("--outputs", type=Path, nargs="+", required=True)
arguments = parser.parse_args()

with job():
    draw_adversarial_images(**vars(arguments))
