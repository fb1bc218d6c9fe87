"""Resemblyzer: the d-vector network of Wan et al. 2018 (GE2E), whose weights install with it.

L. Wan et al., "Generalized end-to-end loss for speaker verification", ICASSP 2018. Left out: its trimming of long
pauses, since the voice detector it takes for that finds other pauses in noise, and then other stretches of speech would
be compared.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.extras import SPEAKERS, load_package
from unmuffle.measure.impact.packages import Lazy, version_of
from unmuffle.signal.arrays import FloatArray

_TARGET_DBFS = -30.0


class Resemblyzer(Lazy):
    """Speaker embeddings of 256 numbers, on one thread of the CPU.

    Raises
    ------
    MissingExtraError
        When it is first used, if ``resemblyzer`` is not installed.
    """

    name = "resemblyzer"
    sample_rate = 16_000
    _package = ("resemblyzer", SPEAKERS)

    def __init__(self) -> None:
        self.version = version_of("resemblyzer")

    def embed(self, audio: FloatArray, rate: int) -> FloatArray:  # noqa: ARG002 (the contract; it is given sample_rate)
        """Return the unit vector of audio [samples] at 16 kHz."""
        if not audio.any():
            raise InvalidAudioError("no talker can be told from this audio: it is silent")
        package, encoder = self.model
        louder = package.normalize_volume(audio, _TARGET_DBFS, increase_only=True)
        with _one_thread():
            return np.asarray(encoder.embed_utterance(louder.astype(np.float32)))

    def require(self) -> Any:
        """Return its module, or raise ``MissingExtraError``."""
        with warnings.catch_warnings():
            # webrtcvad, which it needs, imports pkg_resources, and that warns of its own end.
            warnings.simplefilter("ignore")
            return super().require()

    def _load(self) -> Any:
        package = self.require()
        return package, package.VoiceEncoder("cpu", verbose=False)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have the network computed on one thread, as the processes beside it are the ones to share the cores."""
    network = load_package("torch", SPEAKERS)
    before = network.get_num_threads()
    network.set_num_threads(1)
    try:
        yield
    finally:
        network.set_num_threads(before)
