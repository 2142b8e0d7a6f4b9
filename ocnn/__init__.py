"""One-class neural networks and their peers: scikit-learn estimators and the benchmark that compares them.

Importing the package imports neither Keras nor a backend; a deep method does so when it is fitted.
"""

from ocnn.methods import METHODS, load_estimator

__version__ = "0.1.0"

__all__ = ["METHODS", "load_estimator"]
