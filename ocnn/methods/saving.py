"""Fitted detectors in a file, which is read without running anything that it says.

The format is skops's: a zip archive of arrays and of a description in JSON. Of types it builds scikit-learn's, NumPy's
and those of this package; a file that names any other is refused. A network is built of known layers
(`ocnn.networks.saved`).
"""

import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import skops.io

from ocnn import __version__
from ocnn.errors import ResultError
from ocnn.methods import METHODS
from ocnn.storage.files import atomic_write

#: Of a change of these, or of this package, a reader is warned: scores may differ.
PACKAGES = ("scikit-learn", "numpy", "keras")
#: What skops does not know by itself, and a fitted detector, or what stands before it in a pipeline, may hold. The tree
#: is checked by `IForest`; a dtype, as an imputer keeps, is read as that of an empty array.
TRUSTED = {
    "builtins.object",
    "numpy.dtype",
    "numpy.number",
    "sklearn.compose._column_transformer.make_column_selector",
    *(path.replace(":", ".") for path in METHODS.values()),
    "ocnn.methods.conformal.ConformalDetector",
    "ocnn.methods.diagnosis.Diagnosis",
    "ocnn.methods.wrapped.WrappedDetector",
    "ocnn.networks.saved.SavedNetwork",
    "ocnn.networks.shapes.Network",
    "sklearn.tree._tree.Tree",
}


def save(detector: Any, path: str | Path) -> None:
    """Write a fitted detector, or a pipeline with one, into one file; whole or not at all.

    Warns:
        UserWarning: it is made of types that `load` builds only if they are `trusted`.
    """
    content = {"versions": _versions(), "detector": detector}
    with atomic_write(Path(path)) as temporary:
        skops.io.dump(content, temporary)
        foreign = _foreign(temporary)
    if foreign:
        warnings.warn(f"{path} can be read with load(…, trusted={tuple(foreign)!r}) alone.", stacklevel=2)


def load(path: str | Path, *, trusted: tuple[str, ...] = ()) -> Any:
    """Read a detector that `save` wrote; in the versions that wrote it, it gives the same scores.

    Args:
        trusted: types of yours that may be built, too, as `module.Class`: what they do when they are built runs.

    Warns:
        UserWarning: the file is of other versions of the packages that matter.

    Raises:
        ResultError: no such file, a damaged one, or one that names types that are neither known nor `trusted`.
    """
    try:
        if foreign := [name for name in _foreign(path) if name not in trusted]:
            raise ResultError(
                f"{path} names {', '.join(foreign)}, which no detector here is made of: what such a type does when it"
                " is built would run. If you trust the file, name them in `trusted`."
            )
        content = skops.io.load(path, trusted=sorted({*TRUSTED, *trusted}))
        versions, detector = content["versions"], content["detector"]
    except OSError as error:
        raise ResultError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ResultError:
        raise
    except (BadZipFile, KeyError, TypeError, ValueError, AttributeError, EOFError) as error:
        raise ResultError(f"{path} is damaged, or no file of a detector ({error}).") from error
    here = _versions()
    changed = [f"{name} {was} → {here.get(name)}" for name, was in versions.items() if was != here.get(name)]
    if changed:
        warnings.warn(f"{path} was written by other versions, scores may differ: {', '.join(changed)}.", stacklevel=2)
    return detector


def _foreign(path: str | Path) -> list[str]:
    """The types that a file names, and no detector of this package is made of."""
    return sorted(set(skops.io.get_untrusted_types(file=path)) - TRUSTED)


def _versions() -> dict[str, str]:
    return {"ocnn": __version__, **{name: version(name) for name in PACKAGES}}
