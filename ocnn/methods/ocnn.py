"""The one-class neural network of Chalapathy, Menon and Chawla (2019): Eq. 3, by Algorithm 1."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from ocnn.methods.base import NuDetector
from ocnn.methods.diagnosis import MAXIMAL_TIES, Diagnosis, first_of_each, tied_share
from ocnn.methods.pretrained import PretrainedDetector

if TYPE_CHECKING:
    import keras

#: r before the first iteration.
INITIAL_R = 0.1
#: Outer iterations in a row that a negative objective may fall before the fit is called diverged.
DIVERGENCE_PATIENCE = 5
#: Activations g with g(s z) = s g(z) for s > 0.
HOMOGENEOUS = ("linear", "relu")


@dataclass(kw_only=True, eq=False, repr=False)
class OneClassNN(NuDetector, PretrainedDetector):
    """OC-NN: one hidden layer and one output on the encoder's codes, all trained together.

        min over w, V, encoder, r :  ½‖w‖² + ½‖V‖² + (1/ν)(1/N) Σ_n max(0, r − ŷ_n) − r ,   ŷ_n = ⟨w, g(V x_n)⟩

    Alternating minimisation: an epoch of Adam with r fixed, then r ← the ν-quantile of ŷ over the training set.
    `score_samples` is ŷ, `decision_function` ŷ − r.

    With a linear or relu g and the hidden layer's norm unbounded, the objective is positively homogeneous of degree
    one in (scaled w and V, r). Once it is negative it is therefore unbounded below: a larger scale always improves it.
    Such a fit is stopped and marked `diverged` when the objective has been negative and falling for five iterations.
    `unit_norm` takes the homogeneity away: with g(Vx) of length one, as in the feature space of a Gaussian kernel, ŷ is
    at most ‖w‖ and the otherwise unchanged objective at least −½.

    Args:
        nu: ν in (0, 1], the share of training samples to lie outside. None: `anomaly_share`, the paper's choice.
        anomaly_share: share of anomalies among all training samples; has a part only in ν.
        hidden: units of the hidden layer.
        activation: g, `linear`, `sigmoid` or `relu`.
        unit_norm: whether g(Vx) is scaled to unit length.
        center_codes: whether the mean code of the training set under the pretrained encoder is subtracted from codes.
        train_encoder: whether the encoder is trained along, as in the paper, or stays as pretrained.
        epochs, learning_rates: of each phase of Adam; an epoch is an outer iteration, so they limit these.
        tol: the fit has converged when r and the objective change by less than this share in an iteration.

    The others are those of `PretrainedDetector`; `weight_decay` is the encoder's.

    Attributes:
        encoder_, head_: Keras models, samples → codes → ŷ.
        r_: the bias r.
        history_: for each outer iteration the `loss` (mean over its batches) and, over the whole training set in
            inference mode, `objective`, `r`, `w_norm`, `V_norm`, `spread` (standard deviation of ŷ) and `ties`
            (`tied_share` of the distinct samples).
    """

    hidden: int = 32
    activation: str = "linear"
    unit_norm: bool = False
    center_codes: bool = False
    train_encoder: bool = True
    tol: float = 1e-4

    reported: ClassVar[tuple[str, ...]] = ("r_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({"linear", "sigmoid", "relu"})],
        "unit_norm": ["boolean"],
        "center_codes": ["boolean"],
        "train_encoder": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def _parameter_faults(self) -> list[str]:
        faults = super()._parameter_faults()
        if not self._phase_faults() and np.sum(self.epochs) < 1:
            faults.append(f"epochs must allow at least one outer iteration, got {self.epochs!r}.")
        return faults

    def _fit_network(self, X: NDArray[Any]) -> Diagnosis | None:
        import keras

        from ocnn.networks.losses.decay import weight_decay
        from ocnn.networks.losses.ocnn import nu_quantile, one_class_nn
        from ocnn.networks.training import ObjectiveModel, apply, train

        nu, distinct = self._nu, first_of_each(X)
        self.encoder_ = self._pretrained_encoder(X)
        self.encoder_.trainable = self.train_encoder
        codes = keras.Input(self.encoder_.output_shape[1:])
        hidden = keras.layers.Dense(self.hidden, activation=self.activation, use_bias=False, name="V")
        output = keras.layers.Dense(1, use_bias=False, name="w")
        moved = codes
        if self.center_codes:
            mean = apply(self.encoder_, X).mean(axis=0)
            moved = keras.layers.Normalization(mean=mean, variance=np.ones_like(mean), name="center")(codes)
        features = hidden(moved)
        if self.unit_norm:
            features = keras.layers.UnitNormalization()(features)
        self.head_ = keras.Model(codes, keras.ops.squeeze(output(features), axis=-1), name="head")

        inputs = keras.Input(X.shape[1:])
        network = keras.Model(inputs, self.head_(self.encoder_(inputs)))
        w, V, encoder_kernels = output.kernel, hidden.kernel, self.encoder_.trainable_variables
        r = keras.Variable(INITIAL_R, trainable=False, name="r")

        def objective(x: Any, y: Any) -> Any:
            decay = weight_decay(encoder_kernels, self.weight_decay)
            return one_class_nn(y, w, V, r, nu) + decay

        def observe() -> dict[str, float]:
            """Update r by Theorem 1 and measure the fit over the whole training set."""
            outputs = apply(network, X)
            y, finite = outputs.astype(np.float64), bool(np.isfinite(outputs).all())
            if finite:
                r.assign(nu_quantile(y, nu))
            to_numpy = keras.ops.convert_to_numpy
            return {
                "objective": float(one_class_nn(y.astype(np.float32), w, V, r, nu)),
                "r": float(to_numpy(r)),
                "w_norm": float(np.linalg.norm(to_numpy(w))),
                "V_norm": float(np.linalg.norm(to_numpy(V))),
                "spread": float(y.std()),
                "ties": tied_share(outputs[distinct]) if finite else np.nan,
            }

        watch = _watch(observe, self.tol, homogeneous=self.activation in HOMOGENEOUS and not self.unit_norm)
        model = ObjectiveModel(network, objective, variables=[r])
        history = train(model, X, **self._training("ocnn"), callbacks=[watch])
        self.r_ = self.offset_ = float(keras.ops.convert_to_numpy(r))
        self.history_ = {**history, **{name: [row[name] for row in watch.rows] for name in watch.rows[0]}}
        return watch.diagnosis

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        from ocnn.networks.training import apply

        return apply(self.head_, apply(self.encoder_, X)).astype(np.float64)


def judge(rows: Sequence[dict[str, float]], tol: float, *, homogeneous: bool) -> Diagnosis | None:
    """Say whether an alternation should stop after these outer iterations, and why; None to go on.

    Converged: r and objective changed by less than the share `tol`, both. Diverged: a number is not finite, or the
    objective of a homogeneous network has been negative and falling for `DIVERGENCE_PATIENCE` iterations. Collapsed:
    the outputs carry no ranking, as `diagnose_scores` judges.

    Args:
        rows: `objective`, `r`, `spread` and `ties` of each iteration, as `OneClassNN.history_` has them.
    """
    last = rows[-1]
    if not all(np.isfinite(value) for value in last.values()):
        return Diagnosis("diverged", f"a number of outer iteration {len(rows)} is not finite")
    objectives = [row["objective"] for row in rows[-DIVERGENCE_PATIENCE - 1 :]]
    falling = len(objectives) > DIVERGENCE_PATIENCE and all(np.diff(objectives) < 0)
    if homogeneous and falling and all(value < 0 for value in objectives[1:]):
        return Diagnosis(
            "diverged",
            f"objective negative and falling for {DIVERGENCE_PATIENCE} outer iterations, {last['objective']:.3g} after"
            f" {len(rows)}: homogeneous, so unbounded below",
        )
    if last["ties"] > MAXIMAL_TIES:
        return Diagnosis("collapsed", f"outputs spread over {last['spread']:.2g} only after {len(rows)} iterations")
    if len(rows) > 1:
        changes = [
            abs(last[name] - rows[-2][name]) / max(abs(rows[-2][name]), np.finfo(float).tiny)
            for name in ("r", "objective")
        ]
        if max(changes) < tol:
            return Diagnosis("converged", f"r and objective changed by less than {tol:g} in iteration {len(rows)}")
    return None


def _watch(observe: Any, tol: float, *, homogeneous: bool) -> "keras.callbacks.Callback":
    """Make the callback that closes each outer iteration. A function, as its base class comes with Keras."""
    import keras

    class Watch(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.rows: list[dict[str, float]] = []
            self.diagnosis = Diagnosis("limit", "no outer iteration")

        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            self.rows.append(observe())
            found = judge(self.rows, tol, homogeneous=homogeneous)
            if found is not None:
                self.model.stop_training = True
            limit = f"limit of {len(self.rows)} outer iterations reached before r and objective settled to {tol:g}"
            self.diagnosis = found or Diagnosis("limit", limit)

    return Watch()
