"""The step that obtains an archive."""

import os
from pathlib import Path

from ocnn.data.archives import obtain
from ocnn.data.dataset import Dataset


def obtain_archive(source: Dataset, archive: Path, checksum: Path, *, name: str) -> None:
    """Obtain one archive of a data set, from the mirror that OCNN_MIRROR names or by download.

    Args:
        source: the data set.
        archive, checksum: the outputs; the checksum stands beside the archive.
        name: of the archive.
    """
    wanted = next(one for one in source.archives if one.name == name)
    mirror = os.environ.get("OCNN_MIRROR")
    obtain(source.name, wanted, archive, Path(mirror) if mirror else None)
