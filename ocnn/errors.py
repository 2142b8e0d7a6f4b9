"""The errors that a user can cause and mend; everything else is a bug."""


class OcnnError(ValueError):
    """Base of these errors; its message is meant for a person, without a traceback."""


class DataError(OcnnError):
    """An archive, an image array or a split that is missing, damaged or unfit for its use."""


class ConfigError(OcnnError):
    """A configuration that cannot be run; the message lists every fault with its key's path."""


class ResultError(OcnnError):
    """A result file that is missing, truncated or not of the expected schema."""


class DetectorError(OcnnError):
    """An outlier detector of another package's, or of the user's own, that fails or gives no scores."""
