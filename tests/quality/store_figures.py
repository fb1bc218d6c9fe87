"""Measure every model and method that ships on the evaluation clips, and store the figures later changes are held to.

    python tests/quality/store_figures.py

Run it after a change that makes them better, or that is worth what it costs, and commit what it writes.
"""

from __future__ import annotations

import json
import sys

import quality_figures


def main() -> None:
    before = quality_figures.stored()["figures"] if quality_figures.STORED.exists() else {}
    figures = {name: quality_figures.measure(name) for name in (quality_figures.NOISY, *quality_figures.SHIPPED)}
    data = {"measured_by": quality_figures.implementations(), "figures": figures}
    quality_figures.STORED.write_text(json.dumps(data, indent=1) + "\n")
    for name, found in figures.items():
        changes = (_change(before.get(name, {}), found, key) for key in quality_figures.KEYS)
        sys.stdout.write(f"{name:22} {'  '.join(changes)}\n")


def _change(before: quality_figures.Figures, after: quality_figures.Figures, key: str) -> str:
    names = list(after)
    text = f"{key} {quality_figures.mean(after, key, names):.3f}"
    if before.keys() != after.keys():
        return text
    return f"{text} ({quality_figures.mean(after, key, names) - quality_figures.mean(before, key, names):+.3f})"


if __name__ == "__main__":
    main()
