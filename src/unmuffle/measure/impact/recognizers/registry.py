"""Recognisers by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.impact.recognizers.base import Recognizer
from unmuffle.measure.impact.recognizers.command import CommandRecognizer
from unmuffle.measure.impact.recognizers.faster_whisper import FasterWhisper
from unmuffle.measure.impact.recognizers.nemo import Nemo
from unmuffle.measure.impact.recognizers.pocket_sphinx import PocketSphinx
from unmuffle.measure.impact.recognizers.python_callable import CallableRecognizer, Transcribe
from unmuffle.measure.impact.recognizers.vosk import Vosk

RECOGNIZERS: Mapping[str, Callable[[str], Recognizer]] = MappingProxyType(
    {
        "pocketsphinx": lambda effort: PocketSphinx(effort or "full"),
        "faster-whisper": FasterWhisper,
        "vosk": Vosk,
        "nemo": Nemo,
        "command": CommandRecognizer,
    }
)
"""How each is made of what follows the colon after its name."""

USES = 'pocketsphinx, pocketsphinx:fast, faster-whisper:MODEL, vosk:MODEL, nemo:MODEL or command:"tool {in}"'


def find_recognizer(recognizer: str | Recognizer | Transcribe) -> Recognizer:
    """Return a recogniser.

    Parameters
    ----------
    recognizer : str, Recognizer or callable
        ``"pocketsphinx"``, ``"pocketsphinx:fast"``, ``"faster-whisper:MODEL"``, ``"vosk:MODEL"``, ``"nemo:MODEL"``
        (a path each) or ``"command:tool {in}"``; or one of your own, which may be a function of (audio, rate).

    Raises
    ------
    InvalidParameterError
        If there is none of that name.
    AudioFileError
        If it needs a model and there is none at that path.
    """
    if isinstance(recognizer, str):
        name, _, rest = recognizer.partition(":")
        make = RECOGNIZERS.get(name.strip().lower().replace("_", "-"))
        if make is None:
            raise InvalidParameterError(f"there is no recogniser {recognizer!r}: give {USES}")
        return make(rest.strip())
    if isinstance(recognizer, Recognizer):
        return recognizer
    if callable(recognizer):
        return CallableRecognizer(recognizer)
    raise InvalidParameterError(f"a recogniser is {USES}, a Recognizer or a function, not {recognizer!r}")
