"""`kde` and `ocsvm` as scikit-learn has them without this project: the same settings, results and interface."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity
from sklearn.svm import OneClassSVM

from ocnn.methods import KDE, OCSVM
from ocnn.methods.base import flatten


class GridSearchedKDE(KDE):
    """A grid search over tree-based densities."""

    def _fit(self, X: NDArray[Any]) -> None:
        search = GridSearchCV(KernelDensity(), {"bandwidth": self.bandwidths}, cv=self.cv).fit(flatten(X))
        self.density_ = search.best_estimator_
        self.bandwidth_ = float(self.density_.bandwidth)

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return self.density_.score_samples(flatten(X))


class RefittedOCSVM(OCSVM):
    """A fit with scikit-learn's own kernel for each γ."""

    def _fit(self, X: NDArray[Any]) -> None:
        assert self._holdout is not None
        holdout, labels = self._holdout
        held_out = flatten(self._check_samples(holdout, reset=False))
        models = [OneClassSVM(kernel="rbf", nu=self.nu, gamma=gamma).fit(flatten(X)) for gamma in self.gamma]
        aucs = [roc_auc_score(labels, model.decision_function(held_out)) for model in models]
        self.svm_ = models[int(np.argmax(aucs))]
        self.gamma_, self.offset_ = float(self.svm_.gamma), float(self.svm_.offset_[0])

    def _score_samples(self, X: NDArray[Any]) -> NDArray[np.float64]:
        return self.svm_.score_samples(flatten(X))
