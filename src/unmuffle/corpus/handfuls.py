"""Clips handed out by the handful: enhanced side by side, while the next are fetched and the last are put in place.

What becomes of a clip does not depend on its neighbours, so that a run that was killed ends as one that was not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from unmuffle.corpus.clip import Clip
from unmuffle.corpus.clip_work import (
    ClipOutcome,
    ClipSettings,
    FetchedClip,
    enhance_alone,
    fetch,
    finish,
    guarded,
)
from unmuffle.enhancer.files import FileJob
from unmuffle.enhancer.side_by_side import HeldClip, batches_of, enhance_side_by_side, hold_clip, write_clip
from unmuffle.errors import UnmuffleError
from unmuffle.models.device import run_models_on
from unmuffle.signal.arrays import FloatArray

_MOST_CLIPS, _MOST_SECONDS = 48, 240.0
_SHARES_LEFT = 4
"""Handfuls a worker that are made of what is left: they are small towards the end, so that workers end together."""
_WINDOW = 16
"""Clips among which those of one length are looked for; the next so many are fetched meanwhile."""
_UNKNOWN_S = 10.0
_PLAIN = frozenset({".wav", ".flac", ".aiff", ".aif", ".au", ".w64", ".caf"})
_PLAIN_BYTES_A_SECOND, _PACKED_BYTES_A_SECOND = 32_000, 4_000

Told = tuple[int, ClipOutcome]
"""Which clip of a handful, and what became of it."""


def handfuls(clips: Iterator[Clip], count: int, workers: int) -> Iterator[list[Clip]]:
    """Cut clips into handfuls of a few minutes at most.

    Parameters
    ----------
    clips : iterator of Clip
    count : int
        How many there are.
    workers : int
        Among how many they are shared out.
    """
    handful: list[Clip] = []
    seconds = 0.0
    for number, clip in enumerate(clips):
        handful.append(clip)
        seconds += _seconds_of(clip)
        most = min(_MOST_CLIPS, (count - number) // (_SHARES_LEFT * workers))
        if len(handful) >= most or seconds >= _MOST_SECONDS:
            yield handful
            handful, seconds = [], 0.0
    if handful:
        yield handful


def _seconds_of(clip: Clip) -> float:
    """Return about how long a clip is, by what is known of it without opening it."""
    if clip.span_s is not None:
        return clip.span_s[1] - clip.span_s[0]
    told = clip.fields.get("duration")
    if isinstance(told, (int, float)):
        return float(told)
    path = Path(clip.source if clip.member is None else clip.member.name)
    pace = _PLAIN_BYTES_A_SECOND if path.suffix.lower() in _PLAIN else _PACKED_BYTES_A_SECOND
    try:
        return (path.stat().st_size if clip.member is None else clip.member.size) / pace
    except (OSError, ValueError):
        return _UNKNOWN_S


def do_clips(settings: ClipSettings, clips: Sequence[Clip]) -> Iterator[Told]:
    """Do a handful of clips and yield what became of each, in any order; whatever goes wrong with one is told."""
    run_models_on(settings.device)
    with _thread() as fetching, _thread() as finishing:
        coming = [fetching.submit(guarded, clip, partial(_fetched, settings, clip)) for clip in clips]
        ending: dict[Future[ClipOutcome], int] = {}
        for start in range(0, len(clips), _WINDOW):
            at_hand: dict[int, _AtHand] = {}
            for number, found in enumerate(coming[start : start + _WINDOW], start):
                fetched = found.result()
                if isinstance(fetched, ClipOutcome):
                    yield number, fetched
                else:
                    at_hand[number] = fetched
            for number, made in _made(settings, at_hand):
                clip = clips[number]
                ending[finishing.submit(guarded, clip, partial(_finished, settings, at_hand[number], made))] = number
            # No more of them wait in memory than are looked at together.
            yield from _ended(ending, _WINDOW)
        yield from _ended(ending, 0)


@dataclass(frozen=True)
class _AtHand:
    fetched: FetchedClip
    held: HeldClip | None


@dataclass(frozen=True)
class _Made:
    held: HeldClip
    audio: FloatArray
    seconds: float
    warnings: tuple[str, ...]


def _fetched(settings: ClipSettings, clip: Clip) -> _AtHand:
    """Have a clip at hand, and read it if it may be enhanced beside others."""
    fetched = fetch(settings, clip)
    if settings.cache or not settings.enhancer.side_by_side:
        return _AtHand(fetched, None)
    with ExitStack() as stack:
        stack.push(fetched.closing)
        held = hold_clip(FileJob(fetched.source, fetched.made, overwrite=True))
        stack.pop_all()
    return _AtHand(fetched, held)


def _made(settings: ClipSettings, at_hand: Mapping[int, _AtHand]) -> Iterator[tuple[int, _Made | None]]:
    """Yield what was made of each clip; None for those that are to be enhanced alone."""
    numbers = {id(item.held): number for number, item in at_hand.items() if item.held is not None}
    yield from ((number, None) for number, item in at_hand.items() if item.held is None)
    for batch in batches_of([item.held for item in at_hand.values() if item.held is not None]):
        for held, made in zip(batch, _side_by_side(settings, batch), strict=True):
            yield numbers[id(held)], made


def _side_by_side(settings: ClipSettings, batch: list[HeldClip]) -> Sequence[_Made | None]:
    started = perf_counter()
    try:
        processor, warning = settings.enhancer.processor_for_clips(batch[0].info.sample_rate, len(batch))
        made = enhance_side_by_side(batch, processor)
    except (UnmuffleError, MemoryError):
        # Alone, each has its own trouble told.
        return [None] * len(batch)
    share = (perf_counter() - started) / sum(clip.audio.shape[1] for clip in batch)
    told = (warning,) if warning else ()
    return [_Made(clip, audio, share * clip.audio.shape[1], told) for clip, audio in zip(batch, made, strict=True)]


def _finished(settings: ClipSettings, item: _AtHand, made: _Made | None) -> ClipOutcome:
    with item.fetched.closing:
        if made is None:
            return ClipOutcome(finish(settings, item.fetched, enhance_alone(settings, item.fetched)))
        report = write_clip(made.held, made.audio, made.seconds, made.warnings)
        return ClipOutcome(finish(settings, item.fetched, report, made.held.audio))


def _ended(ending: dict[Future[ClipOutcome], int], left: int) -> Iterator[Told]:
    """Yield what has ended, and wait until no more than so many are left."""
    while ending and (len(ending) > left or any(future.done() for future in ending)):
        done, _ = wait(ending, return_when=FIRST_COMPLETED)
        for future in done:
            yield ending.pop(future), future.result()


@contextmanager
def _thread() -> Iterator[ThreadPoolExecutor]:
    """Give a thread that drops what it has not begun when the block is left."""
    pool = ThreadPoolExecutor(1)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
