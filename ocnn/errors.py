"""The errors that a user can cause and mend; everything else is a bug."""


class DataError(ValueError):
    """An archive, an image array or a split that is missing, damaged or unfit for its use."""


class ConfigError(ValueError):
    """A configuration that cannot be run; the message lists every fault with its key's path."""


class ResultError(ValueError):
    """A result file that is missing, truncated or not of the expected schema."""
