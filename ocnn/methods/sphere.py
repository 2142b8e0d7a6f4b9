"""What the methods of the Deep SVDD family share: codes that are drawn to a centre, and scored by their distance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ocnn.methods.deep import squared_error_rounding
from ocnn.methods.diagnosis import Diagnosis, diagnose_schedule
from ocnn.methods.pretrained import PretrainedDetector

if TYPE_CHECKING:
    import keras

#: Coordinates of the centre nearer to zero than this are moved there: a zero is matched by an encoder of zeros.
MINIMAL_COORDINATE = 0.1


@dataclass
class Sphere:
    """How a method draws codes to the centre.

    name: for the progress.
    loss: (codes, centre) → scalar, without the regulariser.
    variables, callbacks: of the loss, if it changes in training.
    history: filled in by the callbacks, a number per epoch by name.
    """

    name: str
    loss: Callable[[Any, Any], Any]
    variables: Sequence[Any] = ()
    callbacks: Sequence[Any] = ()
    history: dict[str, list[float]] = field(default_factory=dict)


@dataclass(kw_only=True, eq=False, repr=False)
class SphereDetector(PretrainedDetector):
    """Base of the methods that draw the codes f(x) to a centre c; `score_samples` is −‖f(x) − c‖².

    The centre is the mean code of the training set before the training, in inference mode, without coordinates near
    zero (`away_from_zero`). A method defines `_make_sphere(X)`. The parameters are those of `PretrainedDetector`.
    A method may put more behind f once the centre is known (`_with_head`).

    Attributes:
        encoder_: the Keras model f.
        center_: c, (code,).
    """

    def _fit_network(self, X: NDArray[Any]) -> Diagnosis | None:
        from ocnn.networks.losses.decay import weight_decay
        from ocnn.networks.training import ObjectiveModel, apply, train

        self.encoder_ = self._build_encoder(X)
        self.center_ = center = away_from_zero(apply(self.encoder_, X).mean(axis=0))
        self.encoder_ = self._with_head(self.encoder_)
        kernels = self.encoder_.trainable_variables
        sphere = self._make_sphere(X)

        def objective(x: Any, codes: Any) -> Any:
            return sphere.loss(codes, center) + weight_decay(kernels, self.weight_decay)

        model = ObjectiveModel(self.encoder_, objective, variables=sphere.variables)
        history = train(model, X, **self._training(sphere.name), callbacks=sphere.callbacks)
        self.history_ = {**history, **sphere.history}
        return diagnose_schedule(history["loss"])

    def _build_encoder(self, X: NDArray[Any]) -> "keras.Model":
        """Build the network f whose outputs are drawn to the centre."""
        return self._pretrained_encoder(X)

    def _with_head(self, encoder: "keras.Model") -> "keras.Model":
        """Return the network that is trained, of as many outputs as the centre has coordinates."""
        return encoder

    def _make_sphere(self, X: NDArray[Any]) -> Sphere:
        """Define the loss of the codes and what goes with it."""
        raise NotImplementedError

    def _squared_distances(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Compute ‖f(x) − c‖² in inference mode, (n,)."""
        from ocnn.networks.training import apply

        return np.square(apply(self.encoder_, X) - self.center_, dtype=np.float64).sum(axis=1)

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return -self._squared_distances(X)

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return squared_error_rounding(scores, np.abs(self.center_).max())


def away_from_zero(center: NDArray[Any]) -> NDArray[np.float32]:
    """Move every |c_i| < 0.1 of a centre to ±0.1; zero, which the released code of Deep SVDD leaves, to +0.1."""
    moved = np.where(center < 0, -MINIMAL_COORDINATE, MINIMAL_COORDINATE)
    return np.where(np.abs(center) < MINIMAL_COORDINATE, moved, center).astype(np.float32)
