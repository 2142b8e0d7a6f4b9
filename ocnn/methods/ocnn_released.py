"""What the released code of OC-NN minimises, which is not the paper's Eq. 3.

Source: the authors' repository, github.com/raghavchalapathy/oc-nn, `custom_ocnn_hyperplane_loss` in
src/models/OneClass_SVDD.py. The published OC-NN columns come from it.
"""

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval

from ocnn.methods.base import NuDetector, ThresholdedDetector
from ocnn.methods.sphere import Sphere, SphereDetector

if TYPE_CHECKING:
    import keras

#: r in that loss: a module constant there, which the code's own updates never reach.
RELEASED_R = 0.1


@dataclass(kw_only=True, eq=False, repr=False)
class OneClassNNReleased(NuDetector, ThresholdedDetector, SphereDetector):
    """A linear layer on the encoder's codes, drawn to its mean output; `score_samples` is −‖f(x) − c‖².

    The loss is (1/ν) mean_n [r² + Σ_j max(0, (f_j(x_n) − c_j)² − r²)] with r = 0.1 throughout: a hypersphere loss like
    Deep SVDD's, blind to differences below r. There is no w, no norm and no quantile in it.

    Args:
        nu: ν in (0, 1]; here it only scales the loss. None: `anomaly_share`.
        anomaly_share: share of anomalies among all training samples; has a part only in ν.
        hidden: units of the linear layer.

    The others are those of `ThresholdedDetector` and `SphereDetector`, whose f is encoder and linear layer here.
    """

    hidden: int = 32

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden": [Interval(Integral, 1, None, closed="left")],
    }

    def _build_encoder(self, X: NDArray[Any]) -> "keras.Model":
        import keras

        encoder = super()._build_encoder(X)
        inputs = keras.Input(X.shape[1:])
        head = keras.layers.Dense(self.hidden, use_bias=False, name="head")
        return keras.Model(inputs, head(encoder(inputs)))

    def _make_sphere(self, X: NDArray[Any]) -> Sphere:
        from ocnn.networks.losses.ocnn_released import one_class_nn_released

        return Sphere(
            "ocnn_released",
            lambda codes, center: one_class_nn_released(codes, center, RELEASED_R, self._nu),
        )
