"""One-class Deep SVDD (Ruff et al. 2018, Deep One-Class Classification, Eq. 4)."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from ocnn.methods.base import ThresholdedDetector
from ocnn.methods.sphere import Sphere, SphereDetector


@dataclass(kw_only=True, eq=False, repr=False)
class DeepSVDD(ThresholdedDetector, SphereDetector):
    """Pulls the codes of the training samples towards a centre; `score_samples` is −‖f(x) − c‖².

    The parameters and attributes are those of `SphereDetector` and `ThresholdedDetector`.
    """

    def _make_sphere(self, X: NDArray[Any]) -> Sphere:
        from ocnn.networks.losses.deep_svdd import one_class_deep_svdd

        return Sphere("deep_svdd", one_class_deep_svdd)
