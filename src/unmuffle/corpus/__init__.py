"""Runs over many files: a list of them once, or a whole corpus with a journal.

>>> from unmuffle.corpus import run, status                        # doctest: +SKIP
>>> run("recordings", "clear", otherwise="original").done          # doctest: +SKIP
2000
"""

from unmuffle.corpus.batch import Options, Outcome, run_batch
from unmuffle.corpus.clip import Clip
from unmuffle.corpus.clip_work import QUICK_MEASURES, ClipOutcome
from unmuffle.corpus.plan import Task, plan_tasks
from unmuffle.corpus.running import CorpusReport, RunOptions, run
from unmuffle.corpus.sources import clips_of
from unmuffle.corpus.status import CorpusStatus, status
from unmuffle.corpus.verifying import Damage, verify

__all__ = [
    "QUICK_MEASURES",
    "Clip",
    "ClipOutcome",
    "CorpusReport",
    "CorpusStatus",
    "Damage",
    "Options",
    "Outcome",
    "RunOptions",
    "Task",
    "clips_of",
    "plan_tasks",
    "run",
    "run_batch",
    "status",
    "verify",
]
