"""Networks in ONNX files: those that ship with the package, and those that a user names."""

from unmuffle.models.card import ModelCard
from unmuffle.models.shelf import Model, default_model, find_model, list_models

__all__ = ["Model", "ModelCard", "default_model", "find_model", "list_models"]
