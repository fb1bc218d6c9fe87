"""No figure in docs/benchmarks.md is typed by hand: the page is what the results in the repository make."""

from __future__ import annotations

import json
from pathlib import Path

from bench import page

ROOT = Path(__file__).parents[2]


def results() -> dict[str, object]:
    return {path.stem: json.loads(path.read_text()) for path in (ROOT / "bench" / "results").glob("*.json")}


def test_the_page_is_made_of_the_results():
    assert page.render(results()) == (ROOT / "docs" / "benchmarks.md").read_text()


def test_every_part_has_been_measured():
    assert results().keys() == {"quality", "speed", "long_file", "latency", "noise_tracking", "blind_snr", "evaluation"}
