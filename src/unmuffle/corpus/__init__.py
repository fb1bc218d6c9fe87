"""Runs over many files."""

from unmuffle.corpus.batch import Options, Outcome, run_batch
from unmuffle.corpus.plan import Task, plan_tasks

__all__ = ["Options", "Outcome", "Task", "plan_tasks", "run_batch"]
