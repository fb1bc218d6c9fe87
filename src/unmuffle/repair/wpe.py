"""Frame-online dereverberation by weighted prediction error (WPE).

T. Nakatani, T. Yoshioka, K. Kinoshita, M. Miyoshi and B.-H. Juang, "Speech dereverberation based on variance-normalized
delayed linear prediction", IEEE Trans. ASLP 18(7), 2010; the recursive form after Yoshioka and Nakatani 2012 and Drude
et al. 2018 (see ``wpe_recursion``). In every frequency the late reverberation is what can be predicted from frames that
lie so far back that they share next to nothing with the direct sound; it is taken off. The filters change slowly, so
that there is no musical noise.

Frames are 64 ms long and 16 ms apart, which raised SRMR and PESQ on simulated rooms more than 32 and 8 ms did. Not from
the papers: what weighs the recursion and how far its predictions are used, which is told in ``wpe_band``; and fewer
taps above 8 kHz, where rooms are drier, and none above 24 kHz.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite
from unmuffle.process.stft_processor import StftProcessor
from unmuffle.process.whole import process_whole
from unmuffle.repair.wpe_band import WpeBand
from unmuffle.signal.arrays import AnyArray, BoolArray, ComplexArray
from unmuffle.signal.grid import grid_for, is_whole

HOPS_A_WINDOW = 4
TAPS_ALONE = 16
TAPS_TOGETHER = 24
"""Of all linked channels; each has at least two and at most as many as alone."""
EDGES_HZ = (0.0, 8_000.0, 24_000.0)
SHARES_OF_TAPS = (1.0, 0.5)
PRIOR = 0.02
TRUST_S = 1.6


class Wpe(StftProcessor):
    """Takes late reverberation off a stream, frame by frame.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    taps : int, default 0
        Frames of 16 ms that a prediction is made from, 1 to 64; time and memory grow with the square of taps times
        linked channels. 0 chooses: 16, or 24 shared out among linked channels.
    delay : int, default 3
        Frames between those and the predicted one, 1 to 16; fewer than 3 harm the voice.
    memory_s : float, default 8
        Time constant in seconds, at least 0.5, with which the filters forget.
    link_channels : bool, default False
        Predict each channel from all of them, which finds more reverberation and takes longer. The channels then are
        one recording: none of them can be reset alone.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    """

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        taps: int = 0,
        delay: int = 3,
        memory_s: float = 8.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, grid=grid_for(sample_rate, HOPS_A_WINDOW), nonfinite=nonfinite)
        check_taps(taps, delay)
        if not memory_s >= 0.5:
            raise InvalidParameterError(f"memory_s is {memory_s!r}; it must be at least 0.5 s, for instance 8")
        self.link_channels = bool(link_channels) and self.channels > 1
        linked = self.channels if self.link_channels else 1
        self.taps = int(taps) or default_taps(linked)
        self._groups = self.channels // linked
        self._bands = [
            (
                bins,
                WpeBand(
                    self._groups,
                    linked,
                    bins.stop - bins.start,
                    taps=max(1, round(share * self.taps)),
                    delay=int(delay),
                    forgetting=self.grid.smoothing(memory_s),
                    prior=PRIOR,
                    pole=self.grid.smoothing(TRUST_S),
                ),
            )
            for bins, share in zip(bands_of_bins(self.grid.bin_hz, self.grid.bins), SHARES_OF_TAPS, strict=False)
        ]

    @property
    def linked(self) -> bool:
        """Whether each channel is predicted from all of them."""
        return self.link_channels

    def _change(self, spectra: ComplexArray) -> ComplexArray:
        for frame in spectra:
            groups = frame.reshape(self._groups, -1, self.grid.bins)
            for bins, band in self._bands:
                groups[..., bins] = band.dereverberate(groups[..., bins])
        return spectra

    def _forget(self, mask: BoolArray | None) -> None:
        groups = np.ones(self._groups, np.bool_) if mask is None else mask
        for _, band in self._bands:
            band.reset(groups)


def wpe(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    taps: int = 0,
    delay: int = 3,
    memory_s: float = 8.0,
    link_channels: bool = True,
) -> AnyArray:
    """Take late reverberation off audio, frame by frame as ``Wpe`` does on a stream.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    taps, delay, memory_s, link_channels
        See ``Wpe``; channels are linked unless told otherwise.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.

    Raises
    ------
    InvalidAudioError
        If the array is empty, has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If a parameter is out of its range.
    """
    return process_whole(
        audio,
        lambda channels: Wpe(
            sample_rate, channels, taps=taps, delay=delay, memory_s=memory_s, link_channels=link_channels
        ),
    )


def check_taps(taps: int, delay: int) -> None:
    """Raise ``InvalidParameterError`` if the taps are not 0 to 64 or the delay not 1 to 16."""
    if not is_whole(taps) or not 0 <= taps <= 64:
        raise InvalidParameterError(f"taps is {taps!r}; it must be 1 to 64 frames, or 0 for the default")
    if not is_whole(delay) or not 1 <= delay <= 16:
        raise InvalidParameterError(f"delay is {delay!r}; it must be 1 to 16 frames, for instance 3")


def default_taps(linked: int) -> int:
    """Return how many taps each of so many linked channels has."""
    return min(TAPS_ALONE, max(2, TAPS_TOGETHER // linked))


def bands_of_bins(bin_hz: float, bins: int) -> list[slice]:
    """Return which bins lie between the edges, of the bands that there are at the rate."""
    edges = [min(bins, int(np.ceil(hz / bin_hz))) for hz in EDGES_HZ]
    # Half the rate itself belongs to the band below it.
    edges = [bins if edge >= bins - 1 else edge for edge in edges]
    return [slice(start, stop) for start, stop in pairwise(edges) if stop > start]
