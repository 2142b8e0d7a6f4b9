"""Pictures of photographs and scans, decoded by Pillow: PNG, JPEG, PPM and BMP, of any size and mode."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ocnn.errors import DataError

#: Pillow knows many more formats; each of them is code that reads what anybody may have written.
FORMATS = ("PNG", "JPEG", "PPM", "BMP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".ppm", ".pgm", ".pbm", ".pnm", ".bmp")
#: Pixels of a picture, about those of the largest cameras; Pillow itself warns from there.
MOST_PIXELS = 2**26
#: Bytes that its pixels may take in memory: so many, or so many times those of its file.
MAXIMUM_SIZE, MAXIMUM_GROWTH = 2**25, 100
#: Modes of 16 bits, and the largest value they hold.
DEEP, DEEPEST = ("I", "I;16", "I;16B", "I;16L", "I;16N"), 65535
#: What damaged pictures bring out of Pillow; of PNG's own reader a SyntaxError.
UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    RuntimeError,
    SyntaxError,
    AttributeError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The picture in a file, its header read and found to be one that can be decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise DataError(
                        f"{path}: {picture.width} × {picture.height} pixels, more than {MOST_PIXELS:,}; make it smaller"
                    )
                # Of 16 bits there will be floats.
                size = picture.width * picture.height * (4 if picture.mode in DEEP else len(picture.getbands()))
                if size > max(MAXIMUM_SIZE, MAXIMUM_GROWTH * path.stat().st_size):
                    raise DataError(f"{path} takes {size:,} bytes in memory, far more than its own; make it smaller")
                if picture.format == "PNG" and getattr(picture, "is_animated", False):
                    raise DataError(f"{path} is an animation; give its pictures one by one")
                if picture.mode == "F":
                    raise DataError(f"{path} holds floats, of which nobody knows the range; save it in whole numbers")
                yield picture
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(
            f"{path} cannot be decoded: it is none of {', '.join(FORMATS)}, whatever its name says"
        ) from error
    except MemoryError as error:
        # What a damaged chunk states, Pillow asks for.
        raise DataError(f"{path} cannot be decoded: a part of it states more bytes than there is memory") from error
    except UNREADABLE as error:
        reason = " ".join(str(error).split()).replace(str(path), "it").replace(repr(str(path)), "it").rstrip(".")
        raise DataError(f"{path} cannot be decoded: {reason}") from error


def check_picture(path: Path) -> None:
    """Check what a picture's header says of it, which takes a fraction of decoding it.

    Raises:
        DataError: it is no picture in one of `FORMATS`, or one that `read_picture` would refuse.
    """
    with _opened(path):
        pass


def read_picture(path: Path, size: tuple[int, int], channels: int) -> NDArray[Any]:
    """Decode a picture, turn it as its EXIF data say, and bring it to a size and a number of channels.

    Colours become grey by their luma (ITU-R 601-2), as Pillow has it. What is transparent shows white. The picture is
    stretched to the size, each new pixel averaged bilinearly over all old ones that it covers.

    Args:
        path: of the file; of a JPEG file with several pictures the first.
        size: height and width.
        channels: 1 or 3.

    Returns:
        (height, width, channels) uint8. A grey picture of 16 bits keeps them: it is float32 in [0, 1]; of a colour one
        Pillow reads the upper eight.

    Raises:
        DataError: it cannot be decoded, see `check_picture`.
    """
    with _opened(path) as opened:
        picture = ImageOps.exif_transpose(opened)
        height, width = size
        if picture.mode in DEEP:
            # Pillow's own conversion to eight bits cuts off whatever is above 255.
            deep = Image.fromarray(np.asarray(picture, np.float32) / DEEPEST)
            pixels = np.asarray(deep.resize((width, height), Image.Resampling.BILINEAR), np.float32).clip(0, 1)
            return np.repeat(pixels[..., None], channels, axis=2)
        if picture.has_transparency_data:
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
        converted = picture.convert("L" if channels == 1 else "RGB")
        resized = converted.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(resized).reshape(height, width, channels)
