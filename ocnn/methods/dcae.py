"""Deep convolutional autoencoder (Masci et al. 2011): the reconstruction error tells anomalies."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ocnn.methods.deep import DeepDetector
from ocnn.methods.diagnosis import Diagnosis, diagnose_schedule
from ocnn.networks import shapes
from ocnn.networks.weights import load_weights, save_weights

if TYPE_CHECKING:
    import keras

    from ocnn.networks.training import ObjectiveModel


class DCAE(DeepDetector):
    """Autoencoder trained on the mean squared error; `score_samples` is minus the squared reconstruction error.

    Images are reconstructed through a sigmoid, so they should lie in about [0, 1].

    Args:
        network: name in `ocnn.networks.shapes.NETWORKS`, fields of a `Network`, or `auto`.
        autoencoder: file written by `save_autoencoder` for the same network: taken as it is, nothing is trained.
        epochs, learning_rates: of each phase of Adam.
        batch_size: samples a step.
        weight_decay: λ of the regulariser (λ/2) Σ‖W‖².
        contamination: share of training samples that `predict` calls anomalous.
        random_state: seed, generator or None.
        verbose: 1 prints the progress.

    Attributes:
        autoencoder_: the Keras model.
    """

    shared_settings: ClassVar[Mapping[str, str]] = {
        **DeepDetector.shared_settings,
        "epochs": "pretrain_epochs",
        "learning_rates": "pretrain_learning_rates",
    }

    def __init__(
        self,
        network: Any = "auto",
        autoencoder: str | Path | None = None,
        epochs: Sequence[int] = (250, 100),
        learning_rates: Sequence[float] = (1e-4, 1e-5),
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
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.contamination = contamination
        self.random_state = random_state
        self.verbose = verbose

    def _fit_network(self, X: NDArray[Any]) -> Diagnosis | None:
        return self.build_or_train(X)

    def build_or_train(self, X: NDArray[Any]) -> Diagnosis | None:
        """Sets `autoencoder_` and `history_` for samples (n, …) float32, drawing on the global random state."""
        from ocnn.networks.models.lenet import build_autoencoder
        from ocnn.networks.training import train

        shape = X.shape[1:]
        network = shapes.resolve(self.network, shape)
        if network.kind == "none":
            raise ValueError("an autoencoder needs a network; 'none' is for methods that work on features as they are.")
        self.autoencoder_ = build_autoencoder(network, shape)
        self.history_ = {}
        if self.autoencoder is not None:
            load_weights(self.autoencoder_, self.autoencoder)
            return None
        self.history_ = train(self.objective_model(), X, **self._training("autoencoder"))
        return diagnose_schedule(self.history_["loss"])

    def objective_model(self) -> "ObjectiveModel":
        """`autoencoder_` with its objective, to be trained."""
        from ocnn.networks.losses.decay import weight_decay
        from ocnn.networks.losses.reconstruction import mean_squared_error
        from ocnn.networks.training import ObjectiveModel

        kernels = self.autoencoder_.trainable_variables

        def objective(x: Any, reconstruction: Any) -> Any:
            decay = weight_decay(kernels, self.weight_decay)
            return mean_squared_error(x, reconstruction) + decay

        return ObjectiveModel(self.autoencoder_, objective)

    def save_autoencoder(self, path: str | Path, recipe: Mapping[str, Any] | None = None) -> None:
        """Write the weights as an npz archive, to start other methods from; `recipe` is the workflow's."""
        save_weights(self.autoencoder_, path, recipe)

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return negative_squared_error(self.autoencoder_, X)


def negative_squared_error(autoencoder: "keras.Model", X: NDArray[Any]) -> NDArray[np.float64]:
    """−‖x − D(E(x))‖² of each sample, (n, …) → (n,)."""
    from ocnn.networks.training import apply

    difference = X - apply(autoencoder, X)
    return -np.square(difference, dtype=np.float64).reshape(len(X), -1).sum(axis=1)
