"""What a client may ask for when it sends a file to be enhanced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unmuffle.enhancer import Enhancer
from unmuffle.errors import ModelError, UnmuffleError, one_line
from unmuffle.presets import find_preset
from unmuffle.presets.chain import DENOISE
from unmuffle.serve.errors_http import ApiError
from unmuffle.serve.media_tasks import ORIGINAL
from unmuffle.serve.parameters import AUTO, number_in, only_known, preset_in

MEDIA_TYPES = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "ogg": "audio/ogg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "mka": "audio/x-matroska",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
    "ts": "video/mp2t",
}
FORMATS = ("wav", "flac", "mp3", "opus", ORIGINAL)
_KNOWN = ("preset", "strength", "method", "format", "keep")
_METHOD = re.compile(r"[A-Za-z0-9_ -]{1,40}")


@dataclass(frozen=True)
class EnhanceOptions:
    """Checked options of one enhancement.

    Attributes
    ----------
    format : str
        One of ``FORMATS``.
    parameters : mapping
        Arguments of ``Enhancer``, of plain types.
    diagnose : bool
        Whether the file is diagnosed first and has its own chain, as ``preset=auto`` asks for.
    """

    format: str
    parameters: Mapping[str, Any]
    diagnose: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str], model: str = AUTO) -> EnhanceOptions:
        """Take the options from a query.

        Parameters
        ----------
        query : mapping of str to str
        model : str
            The server's network, unless a method is asked for.

        Raises
        ------
        ApiError
            422 with what is wrong.
        ModelError
            If the server's network cannot be read.
        """
        only_known(query, _KNOWN)
        suffix = query.get("format") or "wav"
        if suffix not in FORMATS:
            raise ApiError(422, f"there is no format {suffix[:20]!r}; there are: {', '.join(FORMATS)}")
        method = query.get("method") or AUTO
        if not _METHOD.fullmatch(method):
            raise ApiError(422, f"there is no method {method[:40]!r}; see `unmuffle methods`")
        preset = query.get("preset")
        diagnose = preset == AUTO
        parameters: dict[str, Any] = {
            "preset": None if diagnose else preset_in(preset, or_auto=True),
            "strength": _strength(query.get("strength") or "1"),
            "method": method,
            "keep": query.get("keep") or None,
        }
        if model != AUTO and method.strip().lower() == AUTO and _denoises(parameters["preset"]):
            parameters["model"] = model
        try:
            Enhancer(**parameters)
        except ModelError:
            raise
        except UnmuffleError as error:
            raise ApiError(422, one_line(error)) from error
        return cls(suffix, {name: value for name, value in parameters.items() if value is not None}, diagnose)


def media_type_of(suffix: str) -> str:
    """Return the media type of a file by its extension without the dot."""
    return MEDIA_TYPES.get(suffix, "application/octet-stream")


def result_name(given: str, suffix: str) -> str:
    """Return what a client's file is called once it is clear.

    >>> result_name("talk.mp4", "wav"), result_name("", "flac")
    ('talk.clear.wav', 'enhanced.flac')
    """
    stem = given.rpartition(".")[0] or given
    return f"{stem}.clear.{suffix}" if stem else f"enhanced.{suffix}"


def _strength(given: str) -> float | str:
    return AUTO if given.strip().lower() == AUTO else number_in(given, "strength", 0.0, 1.0)


def _denoises(preset: str | None) -> bool:
    return preset is None or any(stage.name == DENOISE for stage in find_preset(preset).chain)
