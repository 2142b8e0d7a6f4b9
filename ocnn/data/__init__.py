"""From raw archives to splits. `DATASETS` names every data set; a reader is imported when it is used."""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

from ocnn.data.adversarial import adversarial_dataset
from ocnn.data.dataset import Arrays, Dataset

#: Name of each data set → where its `Dataset` stands. A new data set is one reader and one line here.
DATASETS = {
    "cifar10": "ocnn.data.cifar10:CIFAR10",
    "digits": "ocnn.data.digits:DIGITS",
    "gtsrb": "ocnn.data.gtsrb:GTSRB",
    "mnist": "ocnn.data.mnist:MNIST",
    "synthetic": "ocnn.data.synthetic:SYNTHETIC",
}

__all__ = ["DATASETS", "Arrays", "Dataset", "load_dataset", "specified_dataset"]


def load_dataset(name_or_path: str) -> Dataset:
    """The data set of that name in `DATASETS`, or at that `package.module:OBJECT`.

    Raises:
        KeyError: neither a registered name nor such a path.
    """
    dataset = resolve_name(name_or_path if ":" in name_or_path else DATASETS[name_or_path])
    assert isinstance(dataset, Dataset)
    return dataset


def specified_dataset(specification: Mapping[str, Any]) -> Dataset:
    """The data set that a job is told to use.

    Args:
        specification: `dataset`, its name or path; where it is attacked also the other arguments of
            `adversarial_dataset`.
    """
    dataset = load_dataset(specification["dataset"])
    arguments = {key: value for key, value in specification.items() if key != "dataset"}
    return adversarial_dataset(dataset, **arguments) if arguments else dataset
