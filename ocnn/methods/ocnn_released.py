"""What the released code of OC-NN minimises, which is not the paper's Eq. 3.

Source: the authors' repository, github.com/raghavchalapathy/oc-nn, `custom_ocnn_hyperplane_loss` in
src/models/OneClass_SVDD.py. The published OC-NN columns come from it.
"""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ocnn.methods.deep_svdd import DeepSVDD, Sphere

if TYPE_CHECKING:
    import keras

#: r in that loss: a module constant there, which the code's own updates never reach.
RELEASED_R = 0.1


class OneClassNNReleased(DeepSVDD):
    """A linear layer on the encoder's codes, drawn to its mean output; `score_samples` is −‖f(x) − c‖².

    The loss is (1/ν) mean_n [r² + Σ_j max(0, (f_j(x_n) − c_j)² − r²)] with r = 0.1 throughout: a hypersphere loss like
    Deep SVDD's, blind to differences below r. There is no w, no norm and no quantile in it.

    Args:
        nu: ν in (0, 1]; here it only scales the loss. None is the contamination.
        hidden: units of the linear layer.

    The other arguments are those of `DeepSVDD`.

    Attributes:
        encoder_: the Keras model f, encoder and linear layer.
        center_: c, the mean output before training, coordinates below 0.1 moved there.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **DeepSVDD._parameter_constraints,
        "nu": [Interval(Real, 0, 1, closed="right"), None],
        "hidden": [Interval(Integral, 1, None, closed="left")],
    }

    shared_settings: ClassVar[Mapping[str, str]] = {**DeepSVDD.shared_settings, "contamination": "contamination"}

    def __init__(
        self,
        nu: float | None = 0.1,
        hidden: int = 32,
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
        super().__init__(
            network=network,
            autoencoder=autoencoder,
            epochs=epochs,
            learning_rates=learning_rates,
            pretrain_epochs=pretrain_epochs,
            pretrain_learning_rates=pretrain_learning_rates,
            batch_size=batch_size,
            weight_decay=weight_decay,
            contamination=contamination,
            random_state=random_state,
            verbose=verbose,
        )
        self.nu = nu
        self.hidden = hidden

    def _parameter_faults(self) -> list[str]:
        faults = super()._parameter_faults()
        if self.nu is None and self.contamination == 0:
            faults.append("nu=None takes contamination for ν, which must not be 0: give nu a number in (0, 1].")
        return faults

    def _build_encoder(self, X: NDArray[Any]) -> "keras.Model":
        import keras

        encoder = super()._build_encoder(X)
        inputs = keras.Input(X.shape[1:])
        head = keras.layers.Dense(self.hidden, use_bias=False, name="head")
        return keras.Model(inputs, head(encoder(inputs)))

    def _make_sphere(self, X: NDArray[Any]) -> Sphere:
        from ocnn.networks.losses.ocnn_released import one_class_nn_released

        nu = self.contamination if self.nu is None else self.nu
        return Sphere(
            "ocnn_released",
            lambda codes, center: one_class_nn_released(codes, center, RELEASED_R, nu),
        )
