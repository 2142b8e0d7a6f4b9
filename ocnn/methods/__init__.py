"""The methods, each a scikit-learn estimator; `METHODS` names them, a class is imported when it is used."""

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocnn.methods.anogan import AnoGAN as AnoGAN
    from ocnn.methods.dcae import DCAE as DCAE
    from ocnn.methods.deep_svdd import DeepSVDD as DeepSVDD
    from ocnn.methods.iforest import IForest as IForest
    from ocnn.methods.kde import KDE as KDE
    from ocnn.methods.knn import KNN as KNN
    from ocnn.methods.linear_ocsvm import LinearOCSVM as LinearOCSVM
    from ocnn.methods.neutral_ad import NeuTraLAD as NeuTraLAD
    from ocnn.methods.nystroem_ocsvm import NystroemOCSVM as NystroemOCSVM
    from ocnn.methods.ocnn import OneClassNN as OneClassNN
    from ocnn.methods.ocnn_radial import OneClassNNRadial as OneClassNNRadial
    from ocnn.methods.ocnn_released import OneClassNNReleased as OneClassNNReleased
    from ocnn.methods.ocsvm import OCSVM as OCSVM
    from ocnn.methods.pca import PCA as PCA
    from ocnn.methods.rcae import RCAE as RCAE
    from ocnn.methods.soft_deep_svdd import SoftDeepSVDD as SoftDeepSVDD

#: Name of each method in the configuration → where its estimator stands. A new method is one file and one line here;
#: a second one above, if editors are to know it as a name of this package.
METHODS = {
    "ocsvm": "ocnn.methods.ocsvm:OCSVM",
    "linear_ocsvm": "ocnn.methods.linear_ocsvm:LinearOCSVM",
    "nystroem_ocsvm": "ocnn.methods.nystroem_ocsvm:NystroemOCSVM",
    "kde": "ocnn.methods.kde:KDE",
    "knn": "ocnn.methods.knn:KNN",
    "pca": "ocnn.methods.pca:PCA",
    "iforest": "ocnn.methods.iforest:IForest",
    "dcae": "ocnn.methods.dcae:DCAE",
    "rcae": "ocnn.methods.rcae:RCAE",
    "anogan": "ocnn.methods.anogan:AnoGAN",
    "neutral_ad": "ocnn.methods.neutral_ad:NeuTraLAD",
    "soft_deep_svdd": "ocnn.methods.soft_deep_svdd:SoftDeepSVDD",
    "deep_svdd": "ocnn.methods.deep_svdd:DeepSVDD",
    "ocnn": "ocnn.methods.ocnn:OneClassNN",
    "ocnn_radial": "ocnn.methods.ocnn_radial:OneClassNNRadial",
    "ocnn_released": "ocnn.methods.ocnn_released:OneClassNNReleased",
}

__all__ = [*(path.split(":")[1] for path in METHODS.values()), "METHODS", "load_estimator"]


def load_estimator(name_or_path: str) -> Any:
    """Import the estimator class of that name in `METHODS`, or at that `package.module:Class`.

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
