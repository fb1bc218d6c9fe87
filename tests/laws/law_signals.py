"""The audio that the laws are tried on, and the ways to cut it into blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import cycle

import numpy as np
from hypothesis import strategies as st

from unmuffle.process import Processor

RATES_HZ = (8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000)
MOST_BLOCKS = 200
"""A list of block sizes is repeated up to so many blocks; what is left comes as one."""


@lru_cache(maxsize=64)
def _speech_like(rate: int, channels: int, samples: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time = np.arange(samples) / rate
    audio = 0.02 * rng.standard_normal((channels, samples))
    for channel in audio:
        phase = 2 * np.pi * rng.uniform(90.0, 250.0) * (time + 0.004 * np.sin(20.0 * time + rng.uniform(0, 6)))
        # Harmonics k of amplitude 0.8**k, in closed form.
        voice = 0.8 * np.sin(phase) / (1.0 - 1.6 * np.cos(phase) + 0.64)
        syllables = np.clip(np.sin(25.0 * time + rng.uniform(0, 6)) + 0.3, 0.0, None)
        channel += 0.2 * syllables * voice
    return audio.astype(np.float32)


def speech_like(rate: int, channels: int, samples: int, seed: int) -> np.ndarray:
    """Harmonics of a wavering pitch that swell and fall like syllables, in noise; float32 [channels, samples]."""
    return _speech_like(rate, channels, samples, seed).copy()


@dataclass(frozen=True)
class Case:
    """What hypothesis chose."""

    rate: int
    channels: int
    samples: int
    seed: int

    @property
    def audio(self) -> np.ndarray:
        return speech_like(self.rate, self.channels, self.samples, self.seed)

    @property
    def other_audio(self) -> np.ndarray:
        """As long as :attr:`audio`, and something else."""
        return 0.7 * speech_like(self.rate, self.channels, self.samples, self.seed + 1_000_000)


@st.composite
def cases(draw: st.DrawFn, *, shortest_s: float = 0.2, fewest_channels: int = 1) -> Case:
    rate = draw(st.sampled_from(RATES_HZ))
    longest_s = 0.6 if rate < 50_000 else 0.3
    samples = draw(st.integers(int(shortest_s * rate), int(max(longest_s, shortest_s) * rate)))
    return Case(rate, draw(st.integers(fewest_channels, 3)), samples, draw(st.integers(0, 999_999)))


sizes_of_blocks = st.lists(
    st.one_of(st.integers(0, 3), st.integers(1, 4000), st.sampled_from([160, 480, 512, 768, 1_000_000])),
    min_size=1,
    max_size=6,
).filter(any)


def blocks(audio: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """Cut audio into blocks whose sizes go round the list; the last holds the rest."""
    cut: list[np.ndarray] = []
    at = 0
    for size in cycle(sizes):
        if len(cut) == MOST_BLOCKS or at + size >= audio.shape[1]:
            return [*cut, audio[:, at:]]
        cut.append(audio[:, at : at + size])
        at += size
    raise AssertionError


def feed(processor: Processor, audio: np.ndarray, sizes: list[int] | None = None) -> np.ndarray:
    """What a processor gives for audio in blocks, without the end that is still owed."""
    pieces = [processor.process(block) for block in (blocks(audio, sizes) if sizes else [audio])]
    for piece in pieces:
        assert piece.dtype == np.float32
        assert piece.ndim == 2
        assert len(piece) == processor.channels
    return np.concatenate(pieces, axis=1)


def run(processor: Processor, audio: np.ndarray, sizes: list[int] | None = None) -> np.ndarray:
    """What a processor gives for a whole stream."""
    body = feed(processor, audio, sizes)
    return np.concatenate((body, processor.flush()), axis=1)
