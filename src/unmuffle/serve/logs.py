"""Structured logs: one JSON object a line, with the request's id; never audio, never a key, never a query."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import uuid
from contextvars import ContextVar
from typing import Any, TextIO

LOGGER = logging.getLogger("unmuffle.serve")
MAX_LINE_CHARACTERS = 4000

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request that is being answered; also in the header X-Request-Id and in every error."""

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def id_of_request(given: str | None) -> str:
    """Return the id that a client or proxy gave, if it is a harmless one, else a new one."""
    return given if given is not None and _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex


def log(event: str, level: int = logging.INFO, **entries: Any) -> None:
    """Write one line: what happened, and numbers and names that go with it."""
    if LOGGER.isEnabledFor(level):
        LOGGER.log(level, event, extra={"entries": entries})


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self, worker: int = 0) -> None:
        super().__init__()
        self.worker = worker

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage()[:MAX_LINE_CHARACTERS],
            "worker": self.worker,
        }
        if request_id.get():
            told["request_id"] = request_id.get()
        told |= getattr(record, "entries", {})
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)[-MAX_LINE_CHARACTERS:]
        return json.dumps(told, default=str, ensure_ascii=False)


def configure_logging(worker: int = 0, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send our lines, and the warnings of the web server, to standard error as JSON."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonLines(worker))
    for name, lowest in (("unmuffle.serve", level.upper()), ("uvicorn", "WARNING"), ("asyncio", "WARNING")):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(lowest)
