"""Samples of every kind that a user may have, on every method: refused by name, or scored as any others are."""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import DataConversionWarning

from ocnn.methods import METHODS
from tests.methods.test_estimators import DEEP, make

SHAPES = {"tabular": (10,), "images": (8, 8, 1)}
LENET = {"kind": "lenet", "widths": [4, 2], "code": 8, "kernel": 3}
NUMBER = 40

pytestmark = pytest.mark.usefixtures("eagerly")
every_method_and_kind = pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in METHODS for kind in SHAPES])


def samples(kind: str) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.2, 0.8, (NUMBER, *SHAPES[kind])).astype("float32")


def build(name: str, kind: str, **settings: Any) -> Any:
    """A quick estimator for samples of this kind."""
    known = make(name).get_params()
    quick = {"pretrain_epochs": (0,), "steps": 1, **({"network": LENET} if kind == "images" else {}), **settings}
    return make(name, **{key: value for key, value in quick.items() if key in known})


@cache
def fitted(name: str, kind: str) -> Any:
    return build(name, kind).fit(samples(kind))


@cache
def expected(name: str, kind: str) -> bytes:
    """The scores of seven of the samples that it was fitted to."""
    return fitted(name, kind).decision_function(samples(kind)[:7]).tobytes()


def with_one(value: float) -> Callable[[np.ndarray], np.ndarray]:
    """Samples in float64 of which one holds this value."""

    def spoil(X: np.ndarray) -> np.ndarray:
        X = X.astype(np.float64)
        X[3].flat[5] = value
        return X

    return spoil


UNUSABLE: dict[str, tuple[Callable[[np.ndarray], Any], str]] = {
    "NaN": (with_one(np.nan), "contains NaN"),
    "infinite": (with_one(-np.inf), "contains infinity"),
    "too large": (with_one(1e39), r"too large for dtype\('float32'\)"),
    "far too large": (with_one(-1e300), r"too large for dtype\('float32'\)"),
    "complex": (lambda X: X * 1j, "Complex data not supported"),
    "texts": (lambda X: np.full(X.shape, "white"), "could not convert string to float"),
    "no sample": (lambda X: X[:0], r"0 sample\(s\)"),
    "no feature": (lambda X: X[:, :0], r"0 feature\(s\)|X has 0 features"),
    "one axis": (lambda X: X.reshape(-1), "Expected 2D array|dim"),
    "three axes": (lambda X: X.reshape(NUMBER, 2, -1), "got dim 3|features, but"),
    "five axes": (lambda X: X.reshape(NUMBER, 1, 1, 2, -1), "got dim 5|features, but"),
}


@pytest.mark.parametrize("fault", UNUSABLE)
@every_method_and_kind
def test_unusable_samples_are_refused(name: str, kind: str, fault: str) -> None:
    """By name, without a warning, by a fit and by a fitted estimator alike."""
    spoil, message = UNUSABLE[fault]
    unusable = spoil(samples(kind))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(ValueError, match=message):
            build(name, kind).fit(unusable)
        with pytest.raises(ValueError, match=message):
            fitted(name, kind).score_samples(unusable)


@every_method_and_kind
def test_one_sample_can_be_scored_but_not_fitted(name: str, kind: str) -> None:
    one = samples(kind)[:1]
    with pytest.raises(ValueError, match=r"minimum of 2|1 sample"):
        build(name, kind).fit(one)
    assert np.isfinite(fitted(name, kind).decision_function(one)).all()


@pytest.mark.parametrize("other", [(9,), (11,), (8, 8), (4, 8, 1), (8, 4, 1), (8, 8, 3)])
@every_method_and_kind
def test_another_shape_than_fitted_is_refused(name: str, kind: str, other: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"fitted to samples of shape|features, but|got dim 3"):
        fitted(name, kind).score_samples(np.full((5, *other), 0.5))


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "float64": lambda X: X.astype(np.float64),
    "other byte order": lambda X: X.astype(">f4"),
    "Fortran order": np.asfortranarray,
    "every second": lambda X: np.repeat(X, 2, axis=0)[::2],
    "backwards": lambda X: X[::-1].copy()[::-1],
    "part of a larger array": lambda X: np.concatenate([X, X], axis=1)[:, : X.shape[1]],
    "lists": lambda X: X.tolist(),
}


def read_only(X: Any) -> Any:
    if isinstance(X, np.ndarray):
        X.setflags(write=False)
    return X


@pytest.mark.parametrize("layout", LAYOUTS)
@every_method_and_kind
def test_the_layout_of_samples_changes_no_bit_of_their_scores(name: str, kind: str, layout: str) -> None:
    found = fitted(name, kind).decision_function(read_only(LAYOUTS[layout](samples(kind)[:7])))
    assert found.tobytes() == expected(name, kind)


@pytest.mark.parametrize("name", METHODS)
def test_a_fit_does_not_depend_on_the_layout_of_its_samples(name: str) -> None:
    """All at once: doubles in Fortran order, every second of them and none of them to be written to."""
    X = samples("images")
    strange = read_only(np.asfortranarray(np.repeat(X.astype(np.float64), 2, axis=0))[::2])
    assert not strange.flags.c_contiguous
    assert build(name, "images").fit(strange).decision_function(X[:7]).tobytes() == expected(name, "images")


@pytest.mark.parametrize("name", METHODS)
def test_values_that_a_method_cannot_tell_apart_are_no_secret(name: str) -> None:
    """Those methods say so that compute in float32, of which only every eighth whole number is left at 10⁸."""
    X = samples("tabular").astype(np.float64)
    X[:, [3, 7]] += np.array([1e8, 1e4])
    model = build(name, "tabular")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X)
    said = [str(warning.message) for warning in caught if warning.category is DataConversionWarning]
    if model._dtype == np.float32:
        assert len(said) == 1
        assert "distinct values of 1 features, first of feature 4:" in said[0]
    else:
        assert not said


@pytest.mark.parametrize("colours", ["one", "many"])
@pytest.mark.parametrize("name", METHODS)
def test_images_of_constant_colour(name: str, colours: str) -> None:
    """All of one colour collapse; each of its own give finite scores, or a fit that says that it is none."""
    values = np.linspace(0.2, 0.8, NUMBER) if colours == "many" else np.full(NUMBER, 0.5)
    images = np.ones((NUMBER, *SHAPES["images"])) * values[:, None, None, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        model = build(name, "images").fit(images)
        scores = model.decision_function(images)
    assert np.isfinite(scores).all()
    if colours == "one":
        assert model.diagnosis_.status == "collapsed"
        assert len(np.unique(scores)) == 1


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        (name, phase)
        for name in DEEP
        for phase in ("learning_rates", "pretrain_learning_rates")
        if phase in make(name).get_params()
    ],
)
def test_a_loss_that_is_not_finite_is_a_fit_that_diverged(name: str, phase: str) -> None:
    """With a learning rate that no weight survives."""
    epochs = {phase.replace("learning_rates", "epochs"): (1,)}
    model = build(name, "tabular", **epochs, **{phase: (1e30,)}).fit(samples("tabular"))
    assert model.diagnosis_.status == "diverged"
    assert "not finite" in model.diagnosis_.reason
