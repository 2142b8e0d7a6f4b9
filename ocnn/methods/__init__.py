"""The methods, each a scikit-learn estimator; `METHODS` names them, a class is imported when it is used."""

from pkgutil import resolve_name
from typing import Any

#: Name of each method in the configuration → where its estimator stands. A new method is one file and one line here.
METHODS = {
    "ocsvm": "ocnn.methods.ocsvm:OCSVM",
    "kde": "ocnn.methods.kde:KDE",
    "iforest": "ocnn.methods.iforest:IForest",
    "dcae": "ocnn.methods.dcae:DCAE",
    "rcae": "ocnn.methods.rcae:RCAE",
    "anogan": "ocnn.methods.anogan:AnoGAN",
    "soft_deep_svdd": "ocnn.methods.soft_deep_svdd:SoftDeepSVDD",
    "deep_svdd": "ocnn.methods.deep_svdd:DeepSVDD",
    "ocnn": "ocnn.methods.ocnn:OneClassNN",
    "ocnn_released": "ocnn.methods.ocnn_released:OneClassNNReleased",
}

__all__ = [*(path.split(":")[1] for path in METHODS.values()), "METHODS", "load_estimator"]


def load_estimator(name_or_path: str) -> Any:
    """The estimator class of that name in `METHODS`, or at that `package.module:Class`.

    Raises:
        KeyError: neither a registered name nor such a path.
        ImportError, AttributeError: no such module or class.
    """
    return resolve_name(name_or_path if ":" in name_or_path else METHODS[name_or_path])


def __getattr__(name: str) -> Any:
    for path in METHODS.values():
        if path.endswith(f":{name}"):
            return load_estimator(path)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
