"""Small pictures of samples, all of them one image that a page cuts its pictures out of."""

import base64
from collections.abc import Callable, Iterable
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ocnn.report.figures.style import stretched

#: Height and width of a picture, and pictures per line of the sheet.
SIDE, COLUMNS = 32, 32
#: A report holds no more pictures: of further samples it has the numbers.
MOST = 3000
Sample = tuple[str, str, int]


def sheet(
    samples: Iterable[Sample], pixels: Callable[[str, str, NDArray[np.int64]], NDArray[np.float32]]
) -> tuple[str, dict[Sample, int]]:
    """Put the pictures of samples on one sheet, each stretched to its own range of brightness.

    Args:
        samples: data set, part and index of each; of those that come again, the first counts.
        pixels: gives images of a part of a data set by their indices, (n, height, width, channels).

    Returns:
        The sheet as a data address in WebP, and the place of each sample on it; an empty text without samples.
    """
    places: dict[Sample, int] = {}
    for sample in samples:
        if len(places) < MOST:
            places.setdefault(sample, len(places))
    if not places:
        return "", {}
    lines = -(-len(places) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * SIDE, lines * SIDE), "white")
    for dataset, part in dict.fromkeys(sample[:2] for sample in places):
        there = {sample[2]: place for sample, place in places.items() if sample[:2] == (dataset, part)}
        for place, image in zip(there.values(), pixels(dataset, part, np.array(list(there))), strict=True):
            where = place % COLUMNS * SIDE, place // COLUMNS * SIDE
            shown = (255 * stretched(image)).round().astype(np.uint8)
            whole.paste(Image.fromarray(shown).resize((SIDE, SIDE)), where)
    buffer = BytesIO()
    whole.save(buffer, "WEBP", quality=60)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}", places
