"""Deep convolutional autoencoder (Masci et al. 2011): the reconstruction error tells anomalies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from ocnn.methods.base import ThresholdedDetector
from ocnn.methods.deep import NetworkDetector, largest_coordinates, squared_error_rounding
from ocnn.methods.diagnosis import Diagnosis, diagnose_schedule
from ocnn.networks import shapes
from ocnn.networks.weights import load_weights, save_weights

if TYPE_CHECKING:
    import keras

    from ocnn.networks.training import ObjectiveModel


@dataclass(kw_only=True, eq=False, repr=False)
class DCAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ThresholdedDetector, NetworkDetector):
    """Autoencoder trained on the squared error; `score_samples` is minus the squared reconstruction error.

    Images are reconstructed through a sigmoid, so they should lie in about [0, 1]. The error is summed over pixels or
    features and averaged over samples, as in Deep SVDD's code: `weight_decay` has its weight beside that
    (docs/autoencoder.md).

    Given the file of an `autoencoder` of the same network, it takes that as it is and trains nothing; history and
    diagnosis are those of that autoencoder's training.

    As a transformer it gives the codes, on which any other estimator can work, as hybrid methods do (Erfani et al.
    2016): `make_pipeline(DCAE(), OCSVM())`.

    The parameters are those of `NetworkDetector` and `ThresholdedDetector`.

    Attributes:
        autoencoder_: the Keras model.
    """

    epochs: int | Sequence[int] = (250, 100)

    shared_settings: ClassVar[Mapping[str, str]] = {
        "epochs": "pretrain_epochs",
        "learning_rates": "pretrain_learning_rates",
    }

    def _fit_network(self, X: NDArray[Any]) -> Diagnosis | None:
        return self.build_or_train(X)

    def build_or_train(self, X: NDArray[Any]) -> Diagnosis | None:
        """Set `autoencoder_` and `history_` for samples (n, …) float32, drawing on the global random state."""
        from ocnn.networks.models.lenet import build_autoencoder
        from ocnn.networks.training import train

        shape = X.shape[1:]
        network = shapes.resolve(self.network, shape)
        if network.kind == "none":
            raise ValueError("an autoencoder needs a network; 'none' is for methods that work on features as they are.")
        self.autoencoder_ = build_autoencoder(network, shape)
        if self.autoencoder is None:
            self.history_ = train(self.objective_model(), X, **self._training("autoencoder"))
        else:
            self.history_ = load_weights(self.autoencoder_, self.autoencoder)
        return diagnose_schedule(self.history_["loss"]) if "loss" in self.history_ else None

    def objective_model(self) -> "ObjectiveModel":
        """Join `autoencoder_` and its objective, to be trained."""
        from ocnn.networks.losses.decay import weight_decay
        from ocnn.networks.losses.reconstruction import squared_error
        from ocnn.networks.training import ObjectiveModel

        kernels = self.autoencoder_.trainable_variables

        def objective(x: Any, reconstruction: Any) -> Any:
            decay = weight_decay(kernels, self.weight_decay)
            return squared_error(x, reconstruction) + decay

        return ObjectiveModel(self.autoencoder_, objective)

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Compute the code E(x) of each sample: (n, …) → (n, code)."""
        from ocnn.networks.training import apply

        check_is_fitted(self)
        return apply(self.autoencoder_.get_layer("encoder"), self._check_samples(X, reset=False))

    @property
    def _n_features_out(self) -> int:
        """Length of the code, by which scikit-learn names the features that come out."""
        return int(self.autoencoder_.get_layer("encoder").output_shape[-1])

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that the codes are of float32, whatever the samples are."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def save_autoencoder(self, path: str | Path, recipe: Mapping[str, Any] | None = None) -> None:
        """Write weights and history as an npz archive, to start other methods from; `recipe` is the workflow's."""
        save_weights(self.autoencoder_, path, recipe, self.history_)

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return negative_squared_error(self.autoencoder_, X)

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return squared_error_rounding(scores, largest_coordinates(X))


def negative_squared_error(autoencoder: "keras.Model", X: NDArray[Any]) -> NDArray[np.float64]:
    """Compute −‖x − D(E(x))‖² of each sample, (n, …) → (n,)."""
    from ocnn.networks.training import apply

    return -apply(
        autoencoder, X, lambda x, found: np.square(x - found, dtype=np.float64).reshape(len(x), -1).sum(axis=1)
    )
