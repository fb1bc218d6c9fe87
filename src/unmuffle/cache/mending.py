"""Bringing index and files together again, where a process was killed between the one and the other."""

from __future__ import annotations

import sqlite3

from unmuffle.cache import ledger
from unmuffle.cache.entry_files import EntryFiles

EVERY_S = 86_400.0


def mend(connection: sqlite3.Connection, files: EntryFiles, now_s: float) -> None:
    """Once a day, strike out entries without a file, take in files without an entry, and add up sizes anew.

    Called within a transaction; what is looked at grows with the number of entries, hence not every time.
    """
    if abs(now_s - ledger.number(connection, ledger.MENDED_S)) < EVERY_S:
        return
    ledger.set_number(connection, ledger.MENDED_S, now_s)
    entries = {entry.key: entry for entry in ledger.all_entries(connection)}
    found = list(files.all())
    there = {(entry.key, entry.sha256) for entry in found}
    for entry in entries.values():
        if (entry.key, entry.sha256) not in there:
            ledger.remove(connection, entry)
    for entry in found:
        known = entries.get(entry.key)
        if known is not None and known.sha256 != entry.sha256 and (known.key, known.sha256) in there:
            files.remove(entry.key, entry.sha256)
    ledger.adopt(connection, (entry for entry in found if entry.key not in entries))
    ledger.recount(connection)
