"""What the methods share whose encoder starts from an autoencoder's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ocnn.methods.dcae import DCAE
from ocnn.methods.deep import NetworkDetector, phase_faults
from ocnn.networks import shapes

if TYPE_CHECKING:
    import keras


@dataclass(kw_only=True, eq=False, repr=False)
class PretrainedDetector(NetworkDetector):
    """Base of the methods whose encoder is initialised from an autoencoder's: a given one, or one trained first.

    Args:
        pretrain_epochs, pretrain_learning_rates: of each phase of Adam, for the autoencoder that is trained if none is
            given, as `epochs` and `learning_rates` are.

    The others are those of `NetworkDetector`.
    """

    pretrain_epochs: int | Sequence[int] = (250, 100)
    pretrain_learning_rates: float | Sequence[float] = (1e-4, 1e-5)

    shared_settings: ClassVar[Mapping[str, str]] = {
        "pretrain_epochs": "pretrain_epochs",
        "pretrain_learning_rates": "pretrain_learning_rates",
    }

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "pretrain_epochs": ["array-like", Interval(Integral, 0, None, closed="left")],
        "pretrain_learning_rates": ["array-like", Interval(Real, 0, None, closed="neither")],
    }

    def _parameter_faults(self) -> list[str]:
        return super()._parameter_faults() + phase_faults(
            self.pretrain_epochs, self.pretrain_learning_rates, "pretrain_epochs", "pretrain_learning_rates"
        )

    def _pretrained_encoder(self, X: NDArray[Any]) -> "keras.Model":
        """Return the encoder to start from. The network `none` has nothing to pretrain."""
        from ocnn.networks.models.lenet import build_encoder

        network = shapes.resolve(self.network, X.shape[1:])
        if network.kind == "none":
            return build_encoder(network, X.shape[1:])
        return self._pretrained(X).autoencoder_.get_layer("encoder")

    def _pretrained(self, X: NDArray[Any]) -> DCAE:
        """Make a DCAE with the autoencoder to start from."""
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
