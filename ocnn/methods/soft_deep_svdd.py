"""Soft-boundary Deep SVDD (Ruff et al. 2018, Deep One-Class Classification, Eq. 3)."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ocnn.methods.diagnosis import Diagnosis
from ocnn.methods.sphere import Sphere, SphereDetector


@dataclass(kw_only=True, eq=False, repr=False)
class SoftDeepSVDD(SphereDetector):
    """A hypersphere of radius R about the centre, samples outside penalised; `decision_function` is R² − ‖f(x) − c‖².

    R is zero in the warm-up epochs; then, after every epoch, the (1 − ν)-quantile of the distances ‖f(x) − c‖ over the
    training set, in inference mode. `score_samples` is −‖f(x) − c‖².

    Args:
        nu: ν in (0, 1], about the share of training samples that end outside.
        warm_up: epochs before R is first set.

    The others are those of `SphereDetector`.

    Attributes:
        radius_: R.
        history_: `loss` and `radius` of each epoch.
    """

    nu: float = 0.1
    warm_up: int = 10

    reported: ClassVar[tuple[str, ...]] = ("radius_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "nu": [Interval(Real, 0, 1, closed="right")],
        "warm_up": [Interval(Integral, 0, None, closed="left")],
    }

    def _fit_network(self, X: NDArray[Any]) -> Diagnosis | None:
        diagnosis = super()._fit_network(X)
        self.radius_ = self._quantile_radius(X)
        self.offset_ = -(self.radius_**2)
        return diagnosis

    def _quantile_radius(self, X: NDArray[Any]) -> float:
        return float(np.quantile(np.sqrt(self._squared_distances(X)), 1 - self.nu))

    def _make_sphere(self, X: NDArray[Any]) -> Sphere:
        import keras

        from ocnn.networks.losses.deep_svdd import soft_boundary_deep_svdd

        radius = keras.Variable(0.0, trainable=False, name="radius")
        history: dict[str, list[float]] = {"radius": []}

        def refresh(epoch: int, logs: Any) -> None:
            if epoch + 1 >= self.warm_up:
                radius.assign(self._quantile_radius(X))
            history["radius"].append(float(keras.ops.convert_to_numpy(radius)))

        return Sphere(
            "soft_deep_svdd",
            lambda codes, center: soft_boundary_deep_svdd(codes, center, radius, self.nu),
            variables=[radius],
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=refresh)],
            history=history,
        )
