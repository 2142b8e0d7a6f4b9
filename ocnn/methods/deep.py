"""What the deep methods share: samples as float32, the pretrained autoencoder, seeds and training settings.

Keras is imported when a method is fitted, not before: that costs seconds, and shallow methods need none of it.
"""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ocnn.methods.base import AnomalyDetector
from ocnn.methods.diagnosis import Diagnosis
from ocnn.networks import shapes
from ocnn.networks.weights import import_keras


class DeepDetector(AnomalyDetector):
    """Base of the deep methods. A method defines `_fit_network(X)` and `_score_samples(X)`.

    Attributes:
        history_: what was recorded in each epoch, by name.
    """

    _dtype = np.float32
    uses_autoencoder = True
    trains_network = True
    shared_settings: ClassVar[Mapping[str, str]] = {
        name: name for name in ("batch_size", "weight_decay", "network", "verbose")
    }
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "network": [str, dict, shapes.Network],
        "autoencoder": [str, Path, None],
        "epochs": ["array-like"],
        "learning_rates": ["array-like"],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "contamination": [Interval(Real, 0, 0.5, closed="both")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    history_: dict[str, list[float]]

    def __getstate__(self) -> dict[str, Any]:
        """Names a function of the networks' module first, so that unpickling imports the layers that they have."""
        state: dict[str, Any] = super().__getstate__()
        if not hasattr(self, "history_"):
            return state
        from ocnn.networks.models.lenet import build_encoder

        return {"_networks": build_encoder, **state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({name: value for name, value in state.items() if name != "_networks"})

    def _fit(self, X: NDArray[Any]) -> Diagnosis | None:
        import_keras()
        from ocnn.networks.training import seeded

        with seeded(self.random_state):
            return self._fit_network(X)

    def _fit_network(self, X: NDArray[Any]) -> Diagnosis | None:
        raise NotImplementedError

    def _parameter_faults(self) -> list[str]:
        faults = super()._parameter_faults()
        if hasattr(self, "network"):
            try:
                shapes.parse(self.network)
            except ValueError as error:
                faults.append(str(error))
        return faults + self._phase_faults()

    def _phase_faults(self) -> list[str]:
        return phase_faults(self.epochs, self.learning_rates, "epochs", "learning_rates")

    def _training(self, name: str) -> dict[str, Any]:
        """The settings of `training.train`."""
        return {
            "epochs": self.epochs,
            "learning_rates": self.learning_rates,
            "batch_size": self.batch_size,
            "verbose": self.verbose,
            "name": name,
        }


def phase_faults(epochs: Any, rates: Any, epochs_name: str, rates_name: str) -> list[str]:
    """A line unless these are whole numbers ≥ 0 and as many learning rates > 0."""
    good = (
        isinstance(epochs, Sequence | np.ndarray)
        and isinstance(rates, Sequence | np.ndarray)
        and len(epochs) == len(rates) > 0
        and all(isinstance(n, Integral) and int(n) >= 0 for n in epochs)
        and all(isinstance(rate, Real) and float(rate) > 0 for rate in rates)
    )
    if good:
        return []
    return [
        f"{epochs_name} must be a sequence of whole numbers, one a phase, and {rates_name} one of as many positive"
        f" numbers; got {epochs!r} and {rates!r}."
    ]
