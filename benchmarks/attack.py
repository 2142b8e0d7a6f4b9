"""The boundary attack against the bare forward passes that it needs: same classifier, same batch, one thread, one run.

python -m benchmarks.attack [--images 100] [--steps 500] [--repeats 3]
"""

import argparse
import time

from ocnn.steps.runtime import use_threads

use_threads(1)

import keras  # noqa: E402  (after the threads are set)
import numpy as np  # noqa: E402

from benchmarks._measure import positive  # noqa: E402
from benchmarks._record import Record  # noqa: E402
from ocnn.attacks import boundary as attack  # noqa: E402
from ocnn.attacks.classifier import train_classifier  # noqa: E402
from ocnn.networks.models import build_classifier  # noqa: E402
from ocnn.networks.training import seeded  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--images", type=positive, default=100)
parser.add_argument("--steps", type=positive, default=500)
parser.add_argument("--repeats", type=positive, default=3)
parser.add_argument("--widths", type=positive, nargs="+", default=[16, 32, 64])
arguments = parser.parse_args()


class Counting(keras.Model):
    """A classifier that counts its batches."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.model, self.batches = model, 0

    def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
        """Logits of a batch."""
        self.batches += 1
        return np.asarray(self.model.predict_on_batch(x))


# Images that are dark (class 0) or bright (class 1) on the whole: what the classes mean costs nothing and saves none.
rng = np.random.default_rng(0)
labels = np.repeat([0, 1], 500)
images = np.clip(rng.normal(0.35 + 0.3 * labels[:, None, None, None], 0.1, (1000, 32, 32, 3)), 0, 1).astype(np.float32)
with seeded(0):
    model = build_classifier(tuple(arguments.widths), 43, (32, 32, 3))
    train_classifier(model, images, labels, epochs=2, learning_rate=1e-3, batch_size=50)
counting = Counting(model)
originals = images[:500]
begun = attack.start(model, originals, 0, count=arguments.images, seed=0)
batch = begun.images

ratios = []
for _ in range(arguments.repeats):
    counting.batches = 0
    started = time.perf_counter()
    attack.advance(counting, originals, 0, begun, steps=arguments.steps, seed=0)
    attacked = time.perf_counter() - started
    started = time.perf_counter()
    for _ in range(counting.batches):
        model.predict_on_batch(batch)
    bare = time.perf_counter() - started
    ratios.append(attacked / bare)
    print(
        f"{arguments.steps} steps on {arguments.images} images: {1e3 * attacked / arguments.steps:.1f} ms a step,"
        f" {counting.batches} forward passes of {1e3 * bare / counting.batches:.1f} ms, ratio {ratios[-1]:.2f}"
    )
result = {"widths": " ".join(map(str, arguments.widths)), "attack / forward passes": float(np.median(ratios))}
Record(__file__, vars(arguments)).keep([result], by=["widths"], followed=["attack / forward passes"])
