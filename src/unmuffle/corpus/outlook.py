"""What a run would do, told without doing any of it."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from unmuffle.corpus.clip import Clip
from unmuffle.corpus.clip_work import Otherwise
from unmuffle.corpus.journal import Journal
from unmuffle.corpus.running import RunOptions, as_data, journal_of, settings_changed, settings_for
from unmuffle.corpus.sources import clips_of
from unmuffle.enhancer import Enhancer
from unmuffle.measure.assurance.gate import QualityGate

Why: TypeAlias = Literal["new", "changed", "left over", "failed before", "settings"]


class Foreseen(NamedTuple):
    """A clip that a run would do, and why.

    Attributes
    ----------
    clip : Clip
        With the name that its result has or would get.
    why : {"new", "changed", "left over", "failed before", "settings"}
        It is not known yet, or its audio has changed; an earlier run did not come to it, or failed at it and failures
        are to be tried again; or all is to be done again with other settings.
    """

    clip: Clip
    why: Why


class Outlook:
    """What a run would do: an iterator of what it would do, which counts as it goes.

    Attributes
    ----------
    todo : Counter
        Clips to be done, by the reason.
    rest : Counter
        Clips that are ``done`` and those that ``failed`` and are left so.
    """

    def __init__(self, clips: Iterable[Clip], journal: Journal, *, retry_failed: bool, anew: bool) -> None:
        self.todo: Counter[str] = Counter()
        self.rest: Counter[str] = Counter()
        self._clips = clips
        self._journal = journal
        self._retry_failed = retry_failed
        self._anew = anew

    def __iter__(self) -> Iterator[Foreseen]:
        for clip, standing in self._journal.foresee(self._clips):
            why: Why
            if self._anew:
                why = "settings"
            elif standing in ("done", "failed") and not (standing == "failed" and self._retry_failed):
                self.rest[standing] += 1
                continue
            elif standing == "new" or standing == "changed":
                why = standing
            else:
                why = "failed before" if standing == "failed" else "left over"
            self.todo[why] += 1
            yield Foreseen(clip, why)


@contextmanager
def outlook(
    source: str | os.PathLike[str] | Iterable[Clip],
    destination: str | os.PathLike[str],
    *,
    enhancer: Enhancer | None = None,
    gate: QualityGate | None = None,
    otherwise: Otherwise = "original",
    measures: Iterable[str] | None = None,
    suffix: str | None = None,
    options: RunOptions | None = None,
) -> Iterator[Outlook]:
    """Tell what ``run`` would do with the same arguments; nothing is written to the destination.

    >>> with outlook("recordings", "clear") as found:     # doctest: +SKIP
    ...     reasons = {clip.key: why for clip, why in found}
    >>> found.todo                                        # doctest: +SKIP
    Counter({'new': 12, 'changed': 1})

    Raises
    ------
    AudioFileError, InvalidParameterError
        As ``run`` would.
    """
    options = options or RunOptions()
    folder = Path(destination)
    settings = settings_for(folder, enhancer, gate, otherwise, measures, options)
    with ExitStack() as stack:
        path = journal_of(folder)
        if path.exists():
            journal = Journal(path, writes=False)
        else:
            journal = Journal(journal_of(stack.enter_context(tempfile.TemporaryDirectory(prefix="unmuffle-"))))
        stack.enter_context(journal)
        anew = settings_changed(journal.settings, as_data(settings, suffix), redo=options.redo)
        clips = clips_of(source, folder, suffix=suffix)
        yield Outlook(clips, journal, retry_failed=options.retry_failed, anew=anew)
