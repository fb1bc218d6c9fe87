"""The cost of a result from the cache is measured in three ways, and shown."""

from __future__ import annotations

from bench import cache, page


def test_files_are_timed_without_a_cache_when_kept_and_when_found(monkeypatch):
    monkeypatch.setattr(cache, "FILES", (("2 s, FLAC", 2, "flac"),))
    monkeypatch.setattr(cache, "ROUNDS", 1)
    monkeypatch.setattr(cache, "call", lambda _module, _function, *arguments: cache.seconds_of(*arguments))
    figures = cache.measure()
    (row,) = figures["files"].values()
    assert 0.0 < row["found"] < row["without"] < 60.0
    assert 0.0 < row["found"] < row["first"] < 60.0
    assert 0 < row["result_bytes"] < 4 * 2 * cache.RATE_HZ
    shown = page.render({"cache": figures | {"date": "today", "machine": "this one"}})
    (line,) = (line for line in shown.splitlines() if line.startswith("| 2 s, FLAC"))
    assert line.endswith(f"| {row['found']:.3f} | {row['without'] / row['found']:.0f} |")
