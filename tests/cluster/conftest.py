"""The checkout of the workflow's tests."""

from tests.workflow.conftest import checkout

__all__ = ["checkout"]
