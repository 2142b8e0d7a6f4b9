"""One-class neural networks and their peers: scikit-learn estimators and the benchmark that compares them.

Importing the package imports neither Keras nor a backend; a deep method does so when it is fitted.
"""

__version__ = "0.1.0"

from ocnn.methods import METHODS, load_estimator

__all__ = ["METHODS", "load_estimator"]
