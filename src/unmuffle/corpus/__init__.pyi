from .batch import Options, Outcome, run_batch
from .clip import Clip
from .clip_work import QUICK_MEASURES, ClipOutcome
from .outlook import Foreseen, Outlook, outlook
from .packing import PackReport, pack
from .plan import Task, plan_tasks
from .run_status import CorpusStatus, status
from .running import CorpusReport, RunOptions, run
from .sources import clips_of
from .verifying import Damage, verify

__all__ = [
    "QUICK_MEASURES",
    "Clip",
    "ClipOutcome",
    "CorpusReport",
    "CorpusStatus",
    "Damage",
    "Foreseen",
    "Options",
    "Outcome",
    "Outlook",
    "PackReport",
    "RunOptions",
    "Task",
    "clips_of",
    "outlook",
    "pack",
    "plan_tasks",
    "run",
    "run_batch",
    "status",
    "verify",
]
