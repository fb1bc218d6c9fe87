"""The errors a user may meet: each says what was wrong, with what value, and the way out."""

from __future__ import annotations


class UnmuffleError(Exception):
    """Base of every error raised on purpose; the command line shows it as one line without a traceback."""


class InvalidAudioError(UnmuffleError, ValueError):
    """Samples that cannot be processed: a wrong shape, a wrong type, no samples, NaN or infinity."""


class InvalidParameterError(UnmuffleError, ValueError):
    """A parameter outside its range, or a name that does not exist."""


class AudioFileError(UnmuffleError):
    """A file that is missing, is not audio, is damaged, or cannot be written."""


class OutputExistsError(AudioFileError):
    """An output that is already there and was not to be overwritten."""


class MissingExtraError(UnmuffleError, ImportError):
    """A package of an extra is not installed; the message names the command that installs it."""


class ModelError(UnmuffleError):
    """A model file that is missing, damaged, or not what this package can run."""


class ModelRuntimeError(ModelError):
    """A model that is whole, but that ONNX Runtime on this machine cannot load."""


def one_line(error: Exception) -> str:
    """Return what went wrong in one line; what is neither ours nor the system's is named by its kind.

    >>> one_line(AudioFileError("talk.wav is not audio")), one_line(KeyError("x")), one_line(MemoryError())
    ('talk.wav is not audio', "KeyError: 'x'", 'MemoryError')
    """
    kind, text = type(error).__name__, " ".join(str(error).split())
    return text if text and isinstance(error, (UnmuffleError, OSError)) else f"{kind}: {text}" if text else kind
