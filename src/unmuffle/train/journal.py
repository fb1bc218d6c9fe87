"""What a run writes down as it goes: ``log.jsonl``, and TensorBoard's files where that is installed."""

from __future__ import annotations

import json
import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LOG, BOARD = "log.jsonl", "tensorboard"
log = logging.getLogger(__name__)


class Journal:
    """Takes entries of plain values.

    Parameters
    ----------
    folder : Path
        Of the run; made if missing. Entries are added to those of its earlier parts.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / LOG
        self._board = _board(folder / BOARD)

    def note(self, entry: dict[str, Any]) -> None:
        """Write an entry down; its numbers, also those of tables in it, become curves over its ``step``."""
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry) + "\n")
        log.info("%s", {key: value for key, value in entry.items() if key != "config"})
        if self._board is not None:
            for name, value in _numbers({key: value for key, value in entry.items() if key not in ("step", "config")}):
                self._board.add_scalar(name, value, entry["step"])

    def close(self) -> None:
        """Write out what still waits."""
        if self._board is not None:
            self._board.close()


def _board(folder: Path) -> Any:
    if find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))


def _numbers(entry: dict[str, Any], prefix: str = "train") -> list[tuple[str, float]]:
    found = []
    for key, value in entry.items():
        if isinstance(value, dict):
            found += _numbers(value, key)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found.append((f"{prefix}/{key}", float(value)))
    return found
