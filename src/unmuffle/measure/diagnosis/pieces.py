"""Which parts of a recording are listened to: all of it up to ten minutes, beyond that ten minutes spread over it."""

from __future__ import annotations

from collections.abc import Iterator

from unmuffle.enhancer.noise_sample import read_span
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import AudioReader

PIECE_S = 30.0
MOST_PIECES = 20
LEAST_REST_S = 5.0
"""A shorter rest at the end is heard together with the piece before it."""


def spread_spans(seconds: float) -> list[tuple[float, float]]:
    """Return start and end of each piece of a recording, in seconds and in order of time.

    >>> spread_spans(63.0)
    [(0.0, 30.0), (30.0, 63.0)]
    >>> len(spread_spans(3 * 3600.0)), spread_spans(3 * 3600.0)[-1]
    (20, (10770.0, 10800.0))
    """
    if seconds > MOST_PIECES * PIECE_S:
        step = (seconds - PIECE_S) / (MOST_PIECES - 1)
        return [(index * step, index * step + PIECE_S) for index in range(MOST_PIECES)]
    count = max(1, int((seconds - LEAST_REST_S) // PIECE_S) + 1)
    starts = [index * PIECE_S for index in range(count)]
    return list(zip(starts, [*starts[1:], seconds], strict=True))


def pieces_of(samples: FloatArray, sample_rate: int) -> Iterator[FloatArray]:
    """Yield the pieces of an array [channels, samples]."""
    for start_s, end_s in spread_spans(samples.shape[1] / sample_rate):
        yield samples[:, round(start_s * sample_rate) : round(end_s * sample_rate)]


def read_pieces(reader: AudioReader) -> Iterator[FloatArray]:
    """Yield the pieces of a file that has just been opened; of a stream of unknown length its first ten minutes."""
    rate = reader.info.sample_rate
    seconds = reader.info.seconds
    for start_s, end_s in spread_spans(MOST_PIECES * PIECE_S if seconds is None else seconds):
        position_s = reader.position / rate
        piece = read_span(reader, max(0.0, start_s - position_s), end_s - start_s + max(0.0, start_s - position_s))
        if piece.shape[1]:
            yield piece
