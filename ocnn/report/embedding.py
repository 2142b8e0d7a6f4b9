"""Figures within a page: as data addresses, small enough for one file to hold all of them."""

import base64
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from ocnn.report.rendering import read_caption

#: Kinds of figures that are made of photographs.
PHOTOGRAPHIC = ("in_class", "extremes", "attacks", "most_anomalous")
#: Pixels of width that are kept of these in the page, where they are shown about so wide.
LOSSY_WIDTH = 1000


def embedded_figures(
    names: Iterable[str], folder: Path, captions: Path, *, title: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Collect figures by kind, each as a data address, with its name and text alternative; none of a sentence.

    Args:
        names: of the figures, KIND or KIND/REST, in the order of the page.
        folder: of their files, NAME.png.
        captions: folder of the kinds' captions, `KIND.rst`.
        title: what becomes of the title of a caption.
    """
    kinds: dict[str, dict[str, Any]] = {}
    for name in names:
        kind, _, rest = name.partition("/")
        embedded = _embedded(folder / f"{name}.png", lossy=kind in PHOTOGRAPHIC)
        if embedded is None:
            continue
        if kind not in kinds:
            heading, text = read_caption(captions / f"{kind}.rst")
            kinds[kind] = {"kind": kind, "title": title(heading), "text": text, "images": []}
            kinds[kind]["photographic"] = kind in PHOTOGRAPHIC
        subject = ", ".join(rest.split("/")) if rest else "all experiments"
        kinds[kind]["images"].append(
            {
                "subject": subject,
                **embedded,
                "alt": f"{kinds[kind]['title']}: {subject}. {kinds[kind]['text']}",
                "file": name,
            }
        )
    return list(kinds.values())


def _embedded(path: Path, *, lossy: bool) -> dict[str, Any] | None:
    """Encode a figure as a data address, as WebP, which takes a fraction of a PNG's bytes; with its size in pixels.

    A lossy one is made narrower, too: it is the larger part of a report, and the figure itself stands beside it.
    Of a figure that only says why there is nothing to draw (see `ocnn.report.figures.style.save`) None.
    """
    buffer = BytesIO()
    with Image.open(path) as image:
        if "Description" in image.info:
            return None
        width, height = image.size
        shown = image.convert("RGB")
        if lossy:
            shown.thumbnail((LOSSY_WIDTH, height))
        shown.save(buffer, "WEBP", lossless=not lossy, quality=75)
    source = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return {"source": source, "width": width, "height": height}
