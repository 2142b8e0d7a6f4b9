"""From raw archives to splits. `DATASETS` names every data set; a reader is imported when it is used."""

from pkgutil import resolve_name

from ocnn.data.dataset import Arrays, Dataset

#: Name of each data set → where its `Dataset` stands. A new data set is one reader and one line here.
DATASETS = {
    "breast_cancer": "ocnn.data.breast_cancer:BREAST_CANCER",
    "cifar10": "ocnn.data.cifar10:CIFAR10",
    "digits": "ocnn.data.digits:DIGITS",
    "gtsrb": "ocnn.data.gtsrb:GTSRB",
    "mnist": "ocnn.data.mnist:MNIST",
    "synthetic": "ocnn.data.synthetic:SYNTHETIC",
}

__all__ = ["DATASETS", "Arrays", "Dataset", "load_dataset"]


def load_dataset(name_or_path: str) -> Dataset:
    """The data set of that name in `DATASETS`, or at that `package.module:OBJECT`.

    Raises:
        KeyError: neither a registered name nor such a path.
    """
    dataset = resolve_name(name_or_path if ":" in name_or_path else DATASETS[name_or_path])
    assert isinstance(dataset, Dataset)
    return dataset
