"""Objects by their path, so that a registry is not part of what uses them."""

from importlib import import_module
from typing import Any


def load_object(path: str) -> Any:
    """The object at `package.module:NAME`.

    Raises:
        ImportError, AttributeError: there is none.
    """
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
