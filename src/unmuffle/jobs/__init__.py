"""Work done in processes of its own."""

from unmuffle.jobs.one_thread import one_thread_each
from unmuffle.jobs.workers import Report, WorkerDiedError, run_in_workers, unwind

__all__ = ["Report", "WorkerDiedError", "one_thread_each", "run_in_workers", "unwind"]
