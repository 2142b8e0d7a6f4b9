"""One-class Deep SVDD (Ruff et al. 2018, Deep One-Class Classification, Eq. 4)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray

from ocnn.methods.base import ThresholdedDetector
from ocnn.methods.sphere import Sphere, SphereDetector

if TYPE_CHECKING:
    import keras


@dataclass(kw_only=True, eq=False, repr=False)
class DeepSVDD(ThresholdedDetector, SphereDetector):
    """Pulls the codes of the training samples towards a centre; `score_samples` is −‖f(x) − c‖².

    Args:
        head: True puts a dense layer with a bias behind the encoder, as long as the code, after the centre was
            computed: so does the released code of OC-NN, both for `SOFT_BOUND_DEEP_SVDD` and `ONE_CLASS_DEEP_SVDD`,
            which have this one loss there (src/models/OneClass_SVDD.py). The layer is a random one, and with its bias
            it can map every sample to the centre.

    The other parameters and the attributes are those of `SphereDetector` and `ThresholdedDetector`.
    """

    head: bool = False

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"head": ["boolean"]}

    def _with_head(self, encoder: "keras.Model") -> "keras.Model":
        if not self.head:
            return encoder
        import keras

        inputs = keras.Input(self.input_shape_)
        return keras.Model(inputs, keras.layers.Dense(len(self.center_), name="head")(encoder(inputs)))

    def _make_sphere(self, X: NDArray[Any]) -> Sphere:
        from ocnn.networks.losses.deep_svdd import one_class_deep_svdd

        return Sphere("deep_svdd", one_class_deep_svdd)
