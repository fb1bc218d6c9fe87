"""Work done in processes of its own."""

from unmuffle.jobs.workers import Report, WorkerDiedError, run_in_workers, unwind

__all__ = ["Report", "WorkerDiedError", "run_in_workers", "unwind"]
