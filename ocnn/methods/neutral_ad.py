"""NeuTraL AD (Qiu et al. 2021, Neural Transformation Learning for Deep Anomaly Detection Beyond Images), ICML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from ocnn.methods.base import ThresholdedDetector, flatten
from ocnn.methods.deep import DeepDetector
from ocnn.methods.diagnosis import Diagnosis, diagnose_schedule

#: Hidden layers of the encoder.
HIDDEN_LAYERS = 4


@dataclass(kw_only=True, eq=False, repr=False)
class NeuTraLAD(ThresholdedDetector, DeepDetector):
    """Learns transformations that are told apart and still look like the sample; `score_samples` is minus the loss.

    The loss of one sample is `ocnn.networks.losses.neutral_ad.deterministic_contrastive`: of samples like those it was
    trained on, each transformation is near the sample and far from the other transformations. Nothing is pretrained.
    The form is the paper's for tabular data; images are taken as rows of pixels. The schedule is that of the paper's
    code for Arrhythmia, without its batch normalisation.

    Nothing has a bias. So the residual form, which the paper has for Thyroid and Arrhythmia, sees the direction of a
    sample only, and not how far it is from the origin: for standardised features that is half of what there is to see.
    Hence the default is the multiplicative form, which it has for KDD, where numbers are standardised.

    Args:
        transformations: how many are learned, K.
        kind: `multiplicative`, x · sigmoid(M_k(x)), or `residual`, x + M_k(x).
        hidden: units of each of the encoder's four hidden layers; None: by the number of features d, as in the paper's
            code: 2 d below 32, then 64, and 256 above 300.
        code: length of a code; None: likewise 2 d, 32 and 64.
        temperature: τ of the similarities.
        weight_decay: λ of the regulariser (λ/2) Σ‖W‖² of all layers.

    The others are those of `DeepDetector` and `ThresholdedDetector`.

    Attributes:
        network_: the Keras model from samples (n, d) to codes (n, K + 1, code).
    """

    transformations: int = 11
    kind: Literal["multiplicative", "residual"] = "multiplicative"
    hidden: int | None = None
    code: int | None = None
    temperature: float = 0.1
    weight_decay: float = 1e-5
    epochs: int | Sequence[int] = (100, 100)
    learning_rates: float | Sequence[float] = (1e-3, 5e-4)

    shared_settings: ClassVar[Mapping[str, str]] = {"weight_decay": "weight_decay"}
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "transformations": [Interval(Integral, 2, None, closed="left")],
        "kind": [StrOptions({"residual", "multiplicative"})],
        "hidden": [Interval(Integral, 1, None, closed="left"), None],
        "code": [Interval(Integral, 1, None, closed="left"), None],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
    }

    def _fit_network(self, X: NDArray[Any]) -> Diagnosis | None:
        from keras import ops

        from ocnn.networks.losses.decay import weight_decay
        from ocnn.networks.losses.neutral_ad import deterministic_contrastive
        from ocnn.networks.models.transformations import build_transformed_codes
        from ocnn.networks.training import ObjectiveModel, train

        X = flatten(X)
        hidden, code = sizes_for(X.shape[1])
        self.network_ = build_transformed_codes(
            X.shape[1],
            transformations=self.transformations,
            kind=self.kind,
            widths=[hidden if self.hidden is None else self.hidden] * HIDDEN_LAYERS,
            code=code if self.code is None else self.code,
        )
        kernels = self.network_.trainable_variables

        def objective(x: Any, codes: Any) -> Any:
            loss = ops.mean(deterministic_contrastive(codes, self.temperature))
            return loss + weight_decay(kernels, self.weight_decay)

        self.history_ = train(ObjectiveModel(self.network_, objective), X, **self._training("neutral_ad"))
        return diagnose_schedule(self.history_["loss"])

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        from keras import ops

        from ocnn.networks.losses.neutral_ad import deterministic_contrastive
        from ocnn.networks.training import apply

        codes = apply(self.network_, flatten(X))
        return -ops.convert_to_numpy(deterministic_contrastive(codes, self.temperature)).astype(np.float64)

    def _rounding(self, X: NDArray[Any], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.finfo(np.float32).eps * (np.abs(scores) + self.transformations / self.temperature)


def sizes_for(features: int) -> tuple[int, int]:
    """The units of a hidden layer and the length of a code for so many features, by the rule of the paper's code."""
    if features < 32:
        return 2 * features, 2 * features
    return (64, 32) if features <= 300 else (256, 64)
