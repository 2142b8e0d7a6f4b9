"""One-class Deep SVDD (Ruff et al. 2018, Deep One-Class Classification, Eq. 4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ocnn.methods.diagnosis import Diagnosis, diagnose_schedule
from ocnn.methods.pretrained import PretrainedDetector

if TYPE_CHECKING:
    import keras

#: Coordinates of the centre nearer to zero than this are moved there: a zero is matched by an encoder of zeros.
MINIMAL_COORDINATE = 0.1


class DeepSVDD(PretrainedDetector):
    """Pulls the codes of the training samples towards a centre; `score_samples` is −‖f(x) − c‖².

    The centre c is the mean code of the training set under the pretrained encoder, in inference mode.

    Args:
        network: name in `ocnn.networks.shapes.NETWORKS`, fields of a `Network`, or `auto`.
        autoencoder: file of a pretrained autoencoder (`DCAE.save_autoencoder`); None pretrains one.
        epochs, learning_rates: of each phase of Adam.
        pretrain_epochs, pretrain_learning_rates: the same for the autoencoder that is pretrained if none is given.
        batch_size: samples a step.
        weight_decay: λ of the regulariser (λ/2) Σ‖W‖².
        contamination: share of training samples that `predict` calls anomalous.
        random_state: seed, generator or None.
        verbose: 1 prints the progress.

    Attributes:
        encoder_: the Keras model f.
        center_: c, (code,).
    """

    def __init__(
        self,
        network: Any = "auto",
        autoencoder: str | Path | None = None,
        epochs: Sequence[int] = (150, 100),
        learning_rates: Sequence[float] = (1e-4, 1e-5),
        pretrain_epochs: Sequence[int] = (250, 100),
        pretrain_learning_rates: Sequence[float] = (1e-4, 1e-5),
        batch_size: int = 200,
        weight_decay: float = 1e-5,
        contamination: float = 0.1,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.network = network
        self.autoencoder = autoencoder
        self.epochs = epochs
        self.learning_rates = learning_rates
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_learning_rates = pretrain_learning_rates
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.contamination = contamination
        self.random_state = random_state
        self.verbose = verbose

    def _fit_network(self, X: NDArray[Any]) -> Diagnosis | None:
        from ocnn.networks.losses.decay import weight_decay
        from ocnn.networks.training import ObjectiveModel, apply, train

        self.encoder_ = self._build_encoder(X)
        self.center_ = center = away_from_zero(apply(self.encoder_, X).mean(axis=0))
        kernels = self.encoder_.trainable_variables
        sphere = self._make_sphere(X)

        def objective(x: Any, codes: Any) -> Any:
            return sphere.loss(codes, center) + weight_decay(kernels, self.weight_decay)

        model = ObjectiveModel(self.encoder_, objective, variables=sphere.variables)
        history = train(model, X, **self._training(sphere.name), callbacks=sphere.callbacks)
        self.history_ = {**history, **sphere.history}
        return diagnose_schedule(history["loss"])

    def _build_encoder(self, X: NDArray[Any]) -> "keras.Model":
        """The network f whose outputs are drawn to the centre."""
        return self._pretrained_encoder(X)

    def _make_sphere(self, X: NDArray[Any]) -> "Sphere":
        """The loss of the codes and what goes with it."""
        from ocnn.networks.losses.deep_svdd import one_class_deep_svdd

        return Sphere("deep_svdd", one_class_deep_svdd)

    def _squared_distances(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """‖f(x) − c‖² in inference mode, (n,)."""
        from ocnn.networks.training import apply

        return np.square(apply(self.encoder_, X) - self.center_, dtype=np.float64).sum(axis=1)

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return -self._squared_distances(X)


@dataclass
class Sphere:
    """How a method of this family draws codes to the centre.

    name: for the progress.
    loss: (codes, centre) → scalar, without the regulariser.
    variables, callbacks: of the loss, if it changes in training.
    history: filled in by the callbacks, a number an epoch by name.
    """

    name: str
    loss: Callable[[Any, Any], Any]
    variables: Sequence[Any] = ()
    callbacks: Sequence[Any] = ()
    history: dict[str, list[float]] = field(default_factory=dict)


def away_from_zero(center: NDArray[Any]) -> NDArray[np.float32]:
    """The centre with every |c_i| < 0.1 moved to ±0.1; zero, which the released code of Deep SVDD leaves, to +0.1."""
    moved = np.where(center < 0, -MINIMAL_COORDINATE, MINIMAL_COORDINATE)
    return np.where(np.abs(center) < MINIMAL_COORDINATE, moved, center).astype(np.float32)
