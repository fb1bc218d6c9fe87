"""Keys of answers: SHA-256 over all that an answer was made of, so that another answer can never have the same key."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError

BLOCK_BYTES = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")

AudioLike: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | npt.NDArray[Any]"


def cache_key(
    audio: AudioLike,
    *,
    model_checksum: str | None,
    parameters: Mapping[str, Any],
    package_version: str,
    sample_rate: int | None = None,
) -> str:
    """Return the key of an answer.

    Parameters
    ----------
    audio : path, bytes or array
        A file as it lies, byte for byte, or samples. The name of a file is no part of the key.
    model_checksum : str or None
        Of the network that makes the answer, None where there is none.
    parameters : mapping
        All else that changes the answer: numbers, words, truth values, None, and lists and mappings of these.
    package_version : str
        Of the code that makes the answer.
    sample_rate : int, optional
        Of an array, in Hz; files know their own.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    InvalidParameterError
        If an array comes without its rate, or a parameter is of another type.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> key = cache_key(b"RIFF", model_checksum=None, parameters={"strength": 1.0}, package_version="1.0")
    >>> key == cache_key(b"RIFF", model_checksum=None, parameters={"strength": 0.9}, package_version="1.0")
    False
    """
    if isinstance(audio, np.ndarray) and sample_rate is None:
        raise InvalidParameterError("samples alone do not tell their rate: give sample_rate in Hz")
    made_of = {
        "audio": {**described(audio), "sample_rate": sample_rate},
        "model": model_checksum,
        "parameters": _plain(parameters, "parameters"),
        "version": package_version,
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def part_key(key: str, part: str) -> str:
    """Return the key of one of several answers that were made together."""
    return hashlib.sha256(f"{checked(key)}/{part}".encode()).hexdigest()


def checked(key: str) -> str:
    """Return a key if it is one.

    Raises
    ------
    InvalidParameterError
        If it is not.
    """
    if not is_digest(key):
        raise InvalidParameterError(
            f"{key!r} is no key of a cache, which is 64 hexadecimal digits: give what cache_key returned"
        )
    return key


def is_digest(text: object) -> bool:
    """Whether something is a SHA-256 in hexadecimal."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def described(audio: AudioLike) -> dict[str, Any]:
    """Return what tells audio apart from any other: the checksum, and for an array its shape and type.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    if isinstance(audio, (str, os.PathLike)):
        return {"sha256": sha256_of_file(Path(audio))}
    if not isinstance(audio, np.ndarray):
        return {"sha256": hashlib.sha256(audio).hexdigest()}
    samples = np.ascontiguousarray(audio).data.cast("B") if audio.size else b""
    return {"sha256": hashlib.sha256(samples).hexdigest(), "shape": list(audio.shape), "dtype": audio.dtype.str}


def sha256_of_file(path: Path) -> str:
    """Return the checksum of a file of any length, in constant memory."""
    checksum = hashlib.sha256()
    block = memoryview(bytearray(BLOCK_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(block):
            checksum.update(block[:count])
    return checksum.hexdigest()


def _plain(value: Any, name: str) -> Any:
    """Return a value as JSON can hold it without two that differ becoming the same."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{name}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InvalidParameterError(f"{name} has the name {key!r}: names of parameters must be text")
        return {key: _plain(item, f"{name}[{key!r}]") for key, item in value.items()}
    raise InvalidParameterError(
        f"{name} is of type {type(value).__name__}: give numbers, words, None, and lists and mappings of these"
    )
