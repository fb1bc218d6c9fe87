"""PocketSphinx 5 with the US English model that installs with it: hidden Markov models and a trigram grammar.

D. Huggins-Daines et al., "Pocketsphinx: a free, real-time continuous speech recognition system for hand-held devices",
ICASSP 2006. Weak beside networks, and so easily hurt by noise; but offline, small and free of randomness. Each clip is
given as a whole utterance, whose own cepstral mean is then taken off. The decoder keeps its tracker of noise from one
utterance to the next, so the front end is made anew for each clip: a clip's text does not depend on those before it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.extras import IMPACT
from unmuffle.measure.impact.packages import Lazy, version_of
from unmuffle.measure.impact.recognizers.base import RECOGNITION_HZ, as_pcm16
from unmuffle.signal.arrays import FloatArray

EFFORTS = MappingProxyType({"full": {}, "fast": {"maxhmmpf": 1500, "maxwpf": 10, "topn": 2}})
"""Settings of the decoder. Fast keeps at most 1,500 models and 10 words a frame, which noise drives to tens of
thousands, and scores by 2 Gaussians instead of 4: a third to a fifth of the time, and about as many errors."""


class PocketSphinx(Lazy):
    """The recogniser that is always at hand.

    Parameters
    ----------
    effort : {"full", "fast"}, default "full"
        ``"full"`` is the decoder as it comes.

    Raises
    ------
    InvalidParameterError
        For another effort.
    MissingExtraError
        When it is first used, if ``pocketsphinx`` is not installed.
    """

    sample_rate = RECOGNITION_HZ
    _package = ("pocketsphinx", IMPACT)

    def __init__(self, effort: str = "full") -> None:
        if effort not in EFFORTS:
            raise InvalidParameterError(f"the effort of pocketsphinx is one of {', '.join(EFFORTS)}, not {effort!r}")
        self.name = "pocketsphinx" if effort == "full" else f"pocketsphinx:{effort}"
        self.version = version_of("pocketsphinx")
        self._options = EFFORTS[effort]

    def transcribe(self, audio: FloatArray, rate: int) -> str:  # noqa: ARG002 (the contract; it is given sample_rate)
        """Return the words of audio [samples] at 16 kHz."""
        decoder = self.model
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(as_pcm16(audio), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return "" if found is None else str(found.hypstr)

    def _load(self) -> Any:
        package = self.require()
        return package.Decoder(samprate=self.sample_rate, loglevel="FATAL", **self._options)
