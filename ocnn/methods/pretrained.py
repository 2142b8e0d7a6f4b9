"""What the methods share whose encoder starts from an autoencoder's."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray

from ocnn.methods.dcae import DCAE
from ocnn.methods.deep import DeepDetector, phase_faults
from ocnn.networks import shapes

if TYPE_CHECKING:
    import keras


class PretrainedDetector(DeepDetector):
    """Base of the methods whose encoder is initialised from an autoencoder's: a given one, or one trained first."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **DeepDetector._parameter_constraints,
        "pretrain_epochs": ["array-like"],
        "pretrain_learning_rates": ["array-like"],
    }

    shared_settings: ClassVar[Mapping[str, str]] = {
        **DeepDetector.shared_settings,
        "pretrain_epochs": "pretrain_epochs",
        "pretrain_learning_rates": "pretrain_learning_rates",
    }

    def _parameter_faults(self) -> list[str]:
        return super()._parameter_faults() + phase_faults(
            self.pretrain_epochs, self.pretrain_learning_rates, "pretrain_epochs", "pretrain_learning_rates"
        )

    def _pretrained_encoder(self, X: NDArray[Any]) -> "keras.Model":
        """The encoder to start from. The network `none` has nothing to pretrain."""
        from ocnn.networks.models.lenet import build_encoder

        network = shapes.resolve(self.network, X.shape[1:])
        if network.kind == "none":
            return build_encoder(network, X.shape[1:])
        return self._pretrained(X).autoencoder_.get_layer("encoder")

    def _pretrained(self, X: NDArray[Any]) -> DCAE:
        """A DCAE with the autoencoder to start from."""
        dcae = DCAE(
            network=self.network,
            autoencoder=self.autoencoder,
            epochs=self.pretrain_epochs,
            learning_rates=self.pretrain_learning_rates,
            batch_size=self.batch_size,
            weight_decay=self.weight_decay,
            verbose=self.verbose,
        )
        dcae.build_or_train(X)
        return dcae
