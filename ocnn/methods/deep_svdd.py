"""One-class Deep SVDD (Ruff et al. 2018, Deep One-Class Classification, Eq. 4)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ocnn.methods.diagnosis import Diagnosis, diagnose_schedule
from ocnn.methods.pretrained import PretrainedDetector

#: Coordinates of the centre nearer to zero than this are moved there: a zero is matched by an encoder of zeros.
MINIMAL_COORDINATE = 0.1


class DeepSVDD(PretrainedDetector):
    """Pulls the codes of the training samples towards a centre; `score_samples` is −‖f(x) − c‖².

    The centre c is the mean code of the training set under the pretrained encoder, in inference mode.

    Args:
        network: name in `ocnn.architectures.NETWORKS`, fields of a `Network`, or `auto`.
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
        from ocnn import losses
        from ocnn.methods.training import ObjectiveModel, apply, train

        self.encoder_ = self._pretrained_encoder(X)
        self.center_ = center = away_from_zero(apply(self.encoder_, X).mean(axis=0))
        kernels = self.encoder_.trainable_variables

        def objective(x: Any, codes: Any) -> Any:
            return losses.one_class_deep_svdd(codes, center) + losses.weight_decay(kernels, self.weight_decay)

        model = ObjectiveModel(self.encoder_, objective)
        self.history_ = {"loss": train(model, X, **self._training("deep_svdd"))}
        return diagnose_schedule(self.history_["loss"])

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        from ocnn.methods.training import apply

        return -np.square(apply(self.encoder_, X) - self.center_, dtype=np.float64).sum(axis=1)


def away_from_zero(center: NDArray[Any]) -> NDArray[np.float32]:
    """The centre with every |c_i| < 0.1 moved to ±0.1, zero to +0.1 as in the released code of Deep SVDD."""
    moved = np.where(center < 0, -MINIMAL_COORDINATE, MINIMAL_COORDINATE)
    return np.where(np.abs(center) < MINIMAL_COORDINATE, moved, center).astype(np.float32)
