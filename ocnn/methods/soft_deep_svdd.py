"""Soft-boundary Deep SVDD (Ruff et al. 2018, Deep One-Class Classification, Eq. 3)."""

from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ocnn.methods.deep_svdd import DeepSVDD, Sphere
from ocnn.methods.diagnosis import Diagnosis


class SoftDeepSVDD(DeepSVDD):
    """A hypersphere of radius R about the centre, samples outside penalised; `decision_function` is R² − ‖f(x) − c‖².

    R is zero in the warm-up epochs; then, after every epoch, the (1 − ν)-quantile of the distances ‖f(x) − c‖ over the
    training set, in inference mode. `score_samples` is −‖f(x) − c‖².

    Args:
        nu: ν in (0, 1], about the share of training samples that end outside.
        warm_up: epochs before R is first set.

    The other arguments are those of `DeepSVDD`, whose `contamination` has no part here.

    Attributes:
        encoder_: the Keras model f.
        center_: c, (code,).
        radius_: R.
        history_: `loss` and `radius` of each epoch.
    """

    reported = ("radius_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{key: value for key, value in DeepSVDD._parameter_constraints.items() if key != "contamination"},
        "nu": [Interval(Real, 0, 1, closed="right")],
        "warm_up": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        nu: float = 0.1,
        warm_up: int = 10,
        network: Any = "auto",
        autoencoder: str | Path | None = None,
        epochs: Sequence[int] = (150, 100),
        learning_rates: Sequence[float] = (1e-4, 1e-5),
        pretrain_epochs: Sequence[int] = (250, 100),
        pretrain_learning_rates: Sequence[float] = (1e-4, 1e-5),
        batch_size: int = 200,
        weight_decay: float = 1e-5,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            network=network,
            autoencoder=autoencoder,
            epochs=epochs,
            learning_rates=learning_rates,
            pretrain_epochs=pretrain_epochs,
            pretrain_learning_rates=pretrain_learning_rates,
            batch_size=batch_size,
            weight_decay=weight_decay,
            random_state=random_state,
            verbose=verbose,
        )
        # scikit-learn's parameters are those of this constructor alone, so that the base's has no place here.
        del self.contamination
        self.nu = nu
        self.warm_up = warm_up

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
