"""The version, in one place: the wheel, the command and the documentation read it here."""

__version__ = "0.1.0"
