"""What the deep methods share: samples as float32, the pretrained autoencoder, seeds and training settings.

Keras is imported when a method is fitted, not before: that costs seconds, and shallow methods need none of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from ocnn.methods.base import AnomalyDetector
from ocnn.methods.diagnosis import Diagnosis
from ocnn.networks import shapes
from ocnn.networks.saved import SavedNetwork, load_network, save_network
from ocnn.networks.weights import import_keras


@dataclass(kw_only=True, eq=False, repr=False)
class DeepDetector(AnomalyDetector):
    """Base of the deep methods. A method defines `_fit_network(X)` and `_score_samples(X)`.

    Fits that run in several threads at once take turns, as they seed global random states. In a process that was
    forked from one that had used a network they are refused, since a backend's threads do not survive a fork.

    Args:
        epochs, learning_rates: of each phase of Adam. A single number of epochs is one phase, at the first of the
            learning rates; a single learning rate is that of every phase.
        batch_size: samples per step, at least 2, as batch normalisation takes statistics of them. A remainder of one
            sample is shared out. `auto` is 200, and more from 100,000 samples on
            (`ocnn.networks.training.batch_size_for`).
        random_state: seed below 2³¹, generator or None.
        verbose: 1 prints the progress.

    Attributes:
        history_: what was recorded in each epoch, by name.
    """

    epochs: int | Sequence[int] = (150, 100)
    learning_rates: float | Sequence[float] = (1e-4, 1e-5)
    batch_size: int | Literal["auto"] = "auto"
    random_state: Any = None
    verbose: int = 0

    shared_settings: ClassVar[Mapping[str, str]] = {
        "batch_size": "batch_size",
        "random_state": "seed",
        "verbose": "verbose",
    }
    trains_network: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "epochs": ["array-like", Interval(Integral, 0, None, closed="left")],
        "learning_rates": ["array-like", Interval(Real, 0, None, closed="neither")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    _dtype: ClassVar[Any] = np.float32

    def __getstate__(self) -> dict[str, Any]:
        """Describe the networks by plain data, for copies, pickles and files (`ocnn.methods.saving`)."""
        state: dict[str, Any] = super().__getstate__()
        if not hasattr(self, "history_"):
            return state
        from keras import Model

        return {name: save_network(value) if isinstance(value, Model) else value for name, value in state.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the networks again."""
        values = {name: load_network(v) if isinstance(v, SavedNetwork) else v for name, v in state.items()}
        super().__setstate__(values)

    def _fit(self, X: NDArray[Any]) -> Diagnosis | None:
        import_keras()
        from ocnn.networks.training import seeded

        self.history_: dict[str, list[float]] = {}
        with seeded(self.random_state):
            return self._fit_network(X)

    def _fit_network(self, X: NDArray[Any]) -> Diagnosis | None:
        raise NotImplementedError

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.abs(scores) * np.finfo(np.float32).eps

    def _parameter_faults(self) -> list[str]:
        return super()._parameter_faults() + self._phase_faults()

    def _phase_faults(self) -> list[str]:
        return phase_faults(self.epochs, self.learning_rates, "epochs", "learning_rates")

    def _training(self, name: str) -> dict[str, Any]:
        """Collect the settings of `training.train`."""
        epochs, rates = phases(self.epochs, self.learning_rates)
        return {
            "epochs": epochs,
            "learning_rates": rates,
            "batch_size": self.batch_size,
            "verbose": self.verbose,
            "name": name,
        }


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkDetector(DeepDetector):
    """Base of the methods that train a network of the user's choice, and can start from a pretrained autoencoder.

    Args:
        network: name in `ocnn.networks.shapes.NETWORKS`, fields of a `Network`, `auto`, or `none` where the features
            themselves are to be the code.
        autoencoder: file of a pretrained autoencoder (`DCAE.save_autoencoder`); None trains one.
        weight_decay: λ of the regulariser (λ/2) Σ‖W‖² of the network.

    The others are those of `DeepDetector`.
    """

    network: Any = "auto"
    autoencoder: str | Path | None = None
    weight_decay: float = 1e-5

    shared_settings: ClassVar[Mapping[str, str]] = {
        "network": "network",
        "weight_decay": "weight_decay",
    }
    uses_autoencoder: ClassVar[bool] = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "network": [str, dict, shapes.Network],
        "autoencoder": [str, Path, None],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
    }

    def _parameter_faults(self) -> list[str]:
        faults = super()._parameter_faults()
        try:
            shapes.parse(self.network)
        except ValueError as error:
            faults.append(str(error))
        return faults


def largest_coordinates(X: NDArray[Any]) -> NDArray[Any]:
    """Find the largest absolute coordinate of each sample, (n, …) → (n,), without another array of their size."""
    rows = X.reshape(len(X), -1)
    return np.maximum(rows.max(axis=1), -rows.min(axis=1))


def squared_error_rounding(scores: NDArray[np.float64], sizes: Any) -> NDArray[np.float64]:
    """Estimate the rounding errors of squared errors ‖a − b‖² of float32 vectors.

    Args:
        scores: the squared errors or their negatives, (n,).
        sizes: the largest absolute coordinate of a and b, (n,) or one number.
    """
    return np.finfo(np.float32).eps * (np.abs(scores) + 2 * np.sqrt(np.abs(scores)) * sizes)


def phases(epochs: Any, rates: Any) -> tuple[Any, Any]:
    """The epochs and the learning rate of each phase, where either may be a single number; see `DeepDetector`."""
    if isinstance(epochs, Integral):
        return [epochs], [rates if isinstance(rates, Real) else rates[0]]
    return epochs, [rates] * len(epochs) if isinstance(rates, Real) else rates


def phase_faults(epochs: Any, rates: Any, epochs_name: str, rates_name: str) -> list[str]:
    """List a fault unless these are whole numbers ≥ 0 and learning rates > 0, as many or one."""
    given = epochs, rates
    if isinstance(epochs, Integral | Sequence | np.ndarray) and len(np.atleast_1d(np.asarray(rates, object))):
        epochs, rates = phases(epochs, rates)
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
        f"{epochs_name} must be a whole number or several, one per phase, and {rates_name} as many positive numbers or"
        f" one; got {given[0]!r} and {given[1]!r}."
    ]
