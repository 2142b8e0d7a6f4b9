"""Robust convolutional autoencoder: the anomalous part of the samples is split off while the autoencoder is trained.

Source: Chalapathy, Menon, Chawla, Robust, Deep and Inductive Anomaly Detection (2017), with the paper's ℓ2,1 penalty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ocnn.methods.base import ThresholdedDetector
from ocnn.methods.dcae import negative_squared_error
from ocnn.methods.deep import largest_coordinates, phases, squared_error_rounding
from ocnn.methods.diagnosis import Diagnosis, diagnose_schedule
from ocnn.methods.pretrained import PretrainedDetector

#: The alternation has converged when N changes by less than this share of its norm in an iteration.
SETTLED_SHARE = 0.05


@dataclass(kw_only=True, eq=False, repr=False)
class RCAE(ThresholdedDetector, PretrainedDetector):
    """Splits X = L + N and reconstructs L; `score_samples` is minus the squared reconstruction error of X.

        min over D, E, N :  ½‖X − N − D(E(L))‖² + λ‖N‖₂,₁ ,   L = X − N, one group per sample

    From the pretrained autoencoder, which is what training with N = 0 gives, each outer iteration takes two steps:
    N ← the group soft threshold of the residual X − D(E(L)), then the autoencoder is trained on L = X − N. With λ
    above every residual's norm N stays 0. So it does with λ = 0, by convention (that of the authors' code): no noise is
    split off, and what is left is a DCAE trained for longer. λ close to 0 is no such limit, but the opposite:
    N takes the whole residual of every sample.

    Args:
        lam: λ ≥ 0, in the unit of a residual's norm over all pixels of an image.
        iterations: outer iterations.
        epochs, learning_rates: of each phase of Adam, all outer iterations together, among which the epochs are shared
            out evenly.

    The others are those of `PretrainedDetector` and `ThresholdedDetector`.

    Attributes:
        autoencoder_: the Keras model.
        noise_norms_: ‖N_n‖ of each training sample, (n,).
        noise_share_: share of the training samples with N_n ≠ 0.
        history_: `loss` of each epoch; of each outer iteration `noise_share` and `noise_norm`, ‖N‖ over all samples.
    """

    lam: float = 1.0
    iterations: int = 10
    epochs: int | Sequence[int] = (100,)
    learning_rates: float | Sequence[float] = (1e-5,)

    reported: ClassVar[tuple[str, ...]] = ("noise_share_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "lam": [Interval(Real, 0, None, closed="left")],
        "iterations": [Interval(Integral, 1, None, closed="left")],
    }

    def _fit_network(self, X: NDArray[Any]) -> Diagnosis | None:
        from ocnn.networks.losses.rcae import group_soft_threshold
        from ocnn.networks.training import apply, train

        start = self._pretrained(X)
        self.autoencoder_ = start.autoencoder_
        model = start.objective_model()
        noise = np.zeros_like(X)
        self.history_ = {"loss": [], "noise_share": [], "noise_norm": []}
        epochs, of_phases = phases(self.epochs, self.learning_rates)
        rates = np.repeat(np.asarray(of_phases, float), epochs)
        change = 0.0
        for number, part in enumerate(np.array_split(rates, self.iterations), 1):
            if self.lam > 0:
                residual = X - apply(self.autoencoder_, X - noise)
                before, noise = noise, group_soft_threshold(residual, self.lam)
                norm = float(np.linalg.norm(noise))
                change = float(np.linalg.norm(noise - before)) / norm if norm > 0 else 0.0
            self.noise_norms_ = np.sqrt(np.square(noise, dtype=np.float64).reshape(len(X), -1).sum(axis=1))
            self.noise_share_ = float((self.noise_norms_ > 0).mean())
            settings = {**self._training(f"rcae iteration {number}"), "verbose": 0}
            settings |= {"epochs": [1] * len(part), "learning_rates": part}
            self.history_["loss"] += train(model, X - noise, **settings)["loss"]
            self.history_["noise_share"].append(self.noise_share_)
            self.history_["noise_norm"].append(float(np.linalg.norm(self.noise_norms_)))
            if self.verbose:
                print(
                    f"rcae: iteration {number} of {self.iterations}, loss {self.history_['loss'][-1]:.6g},"
                    f" N ≠ 0 for {100 * self.noise_share_:.3g} % of the samples",
                    flush=True,
                )
        return judge(self.history_["loss"], change)

    def _parameter_faults(self) -> list[str]:
        faults = super()._parameter_faults()
        if not self._phase_faults() and np.sum(self.epochs) < self.iterations:
            faults.append(f"epochs must be at least one per outer iteration, got {self.epochs} for {self.iterations}.")
        return faults

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return negative_squared_error(self.autoencoder_, X)

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return squared_error_rounding(scores, largest_coordinates(X))


def judge(losses: Sequence[float], change: float) -> Diagnosis:
    """Say how an alternation ended, from the loss of each epoch and the last relative change of N's norm."""
    schedule = diagnose_schedule(losses)
    if schedule.status != "diverged" and change > SETTLED_SHARE:
        return Diagnosis("limit", f"N still changed by {100 * change:.2g} % in the last outer iteration")
    return schedule
