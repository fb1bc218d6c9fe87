"""A model loaded into ONNX Runtime, on one thread, after its checksum was verified."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from unmuffle.errors import ModelError, ModelRuntimeError, one_line
from unmuffle.models.device import providers
from unmuffle.models.shelf import Model

FATAL_ONLY = 4
KEPT = 8


@dataclass(frozen=True)
class Port:
    """An input or output of a graph: name, shape with numbers or names of dimensions, and type."""

    name: str
    shape: tuple[int | str | None, ...]
    kind: str

    def __str__(self) -> str:
        return f"{self.name} {list(self.shape)}"


@dataclass(frozen=True)
class LoadedModel:
    """A model with its session and what the graph tells of itself."""

    model: Model
    session: Any
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: dict[str, str]


def sha256_of(path: Path) -> str:
    """Return the checksum of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_model(model: Model) -> LoadedModel:
    """Load a model, once a process.

    The session runs on the thread that calls it, and may serve several threads.

    Raises
    ------
    ModelError
        If the file is missing, damaged, not ONNX, or not the one that its card describes.
    ModelRuntimeError
        If the file is what its card says, but ONNX Runtime is missing or cannot load it.
    """
    try:
        stamp = model.path.stat()
        if model.card is not None:
            _verify(model, model.card.sha256, _sha256(model.path, stamp.st_mtime_ns, stamp.st_size))
        runtime = _runtime(model)
        return _opened(model, stamp.st_mtime_ns, stamp.st_size, runtime, providers(runtime))
    except OSError as error:
        raise ModelError(f"the model {model.path} cannot be read: {error.strerror or error}") from error


@lru_cache(maxsize=KEPT)
def _sha256(path: Path, _changed_ns: int, _size: int) -> str:
    return sha256_of(path)


def _verify(model: Model, wanted: str, found: str) -> None:
    if found != wanted.strip().lower():
        raise ModelError(
            f"the model {model.path} is damaged or not the one its card describes: its SHA-256 is {found[:12]}... "
            f"and not {wanted[:12]}...: install the package again, or copy the file again"
        )


@lru_cache(maxsize=KEPT)
def _opened(model: Model, _changed_ns: int, _size: int, runtime: Any, providers: tuple[str, ...]) -> LoadedModel:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = FATAL_ONLY
    # A stream waits most of the time, and must not burn a core over it.
    for threads in ("intra_op", "inter_op"):
        options.add_session_config_entry(f"session.{threads}.allow_spinning", "0")
    try:
        session = runtime.InferenceSession(model.path, options, providers=list(providers))
    except Exception as error:
        # Its exceptions have no common base.
        reason = " ".join(str(error).split())
        if model.card is not None:
            raise ModelRuntimeError(
                f"ONNX Runtime {runtime.__version__} cannot load the model {model.name}: {reason}"
            ) from error
        raise ModelError(
            f"{model.path} is damaged, not an ONNX file, or beyond ONNX Runtime {runtime.__version__}: {reason}"
        ) from error
    return LoadedModel(
        model,
        session,
        _ports(session.get_inputs()),
        _ports(session.get_outputs()),
        dict(session.get_modelmeta().custom_metadata_map),
    )


def _runtime(model: Model) -> Any:
    try:
        import onnxruntime
    except (ImportError, OSError) as error:
        raise ModelRuntimeError(
            f"the model {model.name} needs ONNX Runtime, which cannot be loaded ({one_line(error)}): "
            "pip install --force-reinstall onnxruntime"
        ) from error
    return onnxruntime


def _ports(entries: Any) -> tuple[Port, ...]:
    return tuple(Port(entry.name, tuple(entry.shape), entry.type) for entry in entries)
