"""AnoGAN (Schlegl et al. 2017, Unsupervised Anomaly Detection with Generative Adversarial Networks)."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ocnn.methods.base import ThresholdedDetector
from ocnn.methods.deep import DeepDetector
from ocnn.methods.diagnosis import Diagnosis, diagnose_schedule, first_of_each

#: DCGAN's β₁ and β₂ of Adam.
BETAS = (0.5, 0.999)
#: Generated samples that vary less than this share of the training samples' variance are few modes at best.
COLLAPSED_SHARE = 0.05
#: A discriminator that tells more than this share of real and generated samples apart has not been matched.
MATCHED_ACCURACY = 0.95
#: Generated samples from which the variance is estimated.
GENERATED = 500


@dataclass(kw_only=True, eq=False, repr=False)
class AnoGAN(ThresholdedDetector, DeepDetector):
    """A DCGAN learns to generate normal samples; what it cannot generate is anomalous.

    `score_samples` is −[(1 − λ) Σ|x − G(z*)| + λ Σ|f(x) − f(G(z*))|], f the discriminator's features and z* found by
    Adam on the same expression. The search starts for every sample at one and the same random point, drawn in `fit`, so
    that a sample's score does not depend on the samples that are scored with it. With `tol` a sample whose loss has
    settled is not searched further; what that and fewer, larger steps save and change stands in benchmarks/README.md.

    Args:
        latent: coordinates of a latent point, N(0, 1) each.
        widths: filters of the discriminator's convolutions, each of which halves the image; the generator mirrors them.
            For tabular data, units of dense layers.
        feature_weight: λ in [0, 1].
        steps: of the latent search, at most.
        search_learning_rate: of the latent search.
        search_batch_size: samples searched at once.
        tol: a sample has settled when its loss fell by less than this share in `n_iter_no_change` steps; with 0 every
            sample takes all steps, as Schlegl et al. have it, and with their 500 steps little is saved.
        n_iter_no_change: steps after which, each time, a sample's loss is compared.
        epochs, learning_rates: of each phase of Adam, for both networks.

    The others are those of `DeepDetector` and `ThresholdedDetector`.

    Attributes:
        generator_, discriminator_: Keras models.
        start_: where the latent search starts, (latent,).
        diversity_: variance of generated samples as a share of the distinct training samples'; near 0 if the modes
            collapsed.
        history_: `loss` (sum of both networks') and the discriminator's `accuracy` of each epoch; `search_loss`, mean
            over the training samples, of each step of their search; that of a settled sample stays.
    """

    latent: int = 256
    widths: Sequence[int] = (32, 64)
    feature_weight: float = 0.1
    steps: int = 500
    search_learning_rate: float = 0.02
    search_batch_size: int = 500
    tol: float = 0.0
    n_iter_no_change: int = 50
    epochs: int | Sequence[int] = (100,)
    learning_rates: float | Sequence[float] = (2e-4,)

    reported: ClassVar[tuple[str, ...]] = ("diversity_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "latent": [Interval(Integral, 1, None, closed="left")],
        "widths": ["array-like"],
        "feature_weight": [Interval(Real, 0, 1, closed="both")],
        "steps": [Interval(Integral, 1, None, closed="left")],
        "search_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "search_batch_size": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    }

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what was compiled."""
        state = super().__getstate__()
        return {**state, "_searches": {}} if "_searches" in state else state

    def _parameter_faults(self) -> list[str]:
        faults = super()._parameter_faults()
        if len(self.widths) == 0 or any(not isinstance(n, Integral) or n < 1 for n in self.widths):
            faults.append(f"widths must be whole numbers ≥ 1, at least one, got {self.widths!r}.")
        return faults

    def _fit_network(self, X: NDArray[Any]) -> Diagnosis | None:
        import keras

        from ocnn.methods.gan import AdversarialModel, LatentSearch
        from ocnn.networks.models.dcgan import build_discriminator, build_generator
        from ocnn.networks.training import apply, train

        shape, widths = X.shape[1:], tuple(int(n) for n in self.widths)
        if len(shape) == 3 and any(side % 2 ** len(widths) for side in shape[:2]):
            raise ValueError(
                f"widths of {len(widths)} entries halve the image as many times, so that height and width must be"
                f" multiples of {2 ** len(widths)}; got samples of shape {shape}."
            )
        rng = np.random.default_rng(int(keras.random.randint((), 0, 2**31 - 1)))
        self.start_ = rng.standard_normal(self.latent).astype(np.float32)
        self.generator_ = build_generator(widths, self.latent, shape)
        self.discriminator_ = build_discriminator(widths, shape)
        model = AdversarialModel(self.generator_, self.discriminator_, seed=int(rng.integers(2**31)))
        history = train(model, X, **self._training("anogan"), betas=BETAS)
        # Both are fixed from here on; a frozen batch normalisation stays in inference mode when it is searched through.
        self.generator_.trainable = self.discriminator_.trainable = False
        generated = apply(self.generator_, rng.standard_normal((GENERATED, self.latent)).astype(np.float32))
        self.diversity_ = float(
            generated.var(axis=0).mean() / np.maximum(X[first_of_each(X)].var(axis=0).mean(), np.finfo(np.float32).tiny)
        )
        # The last search, by its settings: compiling it takes seconds, and the training samples' serves for more.
        self._at_once = len(X)
        self._searches: dict[tuple[int, float, float], LatentSearch] = {}
        distances, curve = self._search(X)
        self.training_scores_ = -distances
        self.history_ = {**history, "search_loss": curve}
        return judge(self.history_, self.diversity_)

    def _search(self, X: NDArray[Any]) -> tuple[NDArray[np.float64], list[float]]:
        from ocnn.methods.gan import LatentSearch

        count = min(self.search_batch_size, self._at_once, len(X))
        settings = count, self.feature_weight, self.search_learning_rate
        if settings not in self._searches:
            self._searches.clear()
            self._searches[settings] = LatentSearch(
                self.generator_,
                self.discriminator_,
                X.shape[1:],
                count,
                weight=self.feature_weight,
                learning_rate=self.search_learning_rate,
            )
        return self._searches[settings](
            X,
            self.start_,
            self.steps,
            tol=self.tol,
            patience=self.n_iter_no_change,
            show=lambda text: print(f"anogan: {text}", flush=True) if self.verbose else None,
        )

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.finfo(np.float32).eps * (np.abs(scores) + np.linalg.norm(X.reshape(len(X), -1), axis=1))

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        from ocnn.networks.keras_settings import stated_settings

        with stated_settings():
            return -self._search(X)[0]


def judge(history: dict[str, list[float]], diversity: float) -> Diagnosis:
    """Say how the training and the search of the training samples ended; see `AnoGAN` for the arguments.

    A generator of one mode counts as collapsed whatever the scores rank: they are distances to that mode, and no latent
    search. Its share of the distinct samples' variance depends on no constant, scale or repetition of the samples.
    """
    training = history["loss"]
    if not np.isfinite([*training, *history["search_loss"], diversity]).all():
        return Diagnosis("diverged", "a loss of the networks or of the latent search is not finite")
    if diversity < COLLAPSED_SHARE:
        return Diagnosis(
            "collapsed", f"mode collapse: generated samples have {100 * diversity:.2g} % of the samples' variance"
        )
    accuracy = float(np.mean(history["accuracy"][-max(1, len(training) // 10) :])) if training else 1.0
    if accuracy > MATCHED_ACCURACY:
        return Diagnosis(
            "limit", f"no equilibrium: the discriminator tells {100 * accuracy:.3g} % of real and generated samples"
        )
    search = diagnose_schedule(history["search_loss"], "step")
    return Diagnosis(search.status, f"latent search: {search.reason}")
