"""Draw the before-and-after figures of the documentation: ``python -m bench.figures`` writes ``docs/figures/``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench import figures_of_level, figures_of_repair
from bench.drawing import draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent.parent / "docs" / "figures"
FIGURES: dict[str, Callable[[], Figure]] = {
    "declip": figures_of_repair.declipping,
    "declick": figures_of_repair.declicking,
    "dehum": figures_of_repair.dehumming,
    "highpass": figures_of_repair.high_passing,
    "deess": figures_of_repair.deessing,
    "deplosive": figures_of_repair.deplosion,
    "dereverb": figures_of_repair.dereverberation,
    "level": figures_of_level.levelling,
    "dynamics": figures_of_level.dynamics,
    "loudness": figures_of_level.loudness,
    "clarify": figures_of_level.clarifying,
    "hearing": figures_of_level.hearing,
    "preset": figures_of_level.preset,
}


def main() -> None:
    """Draw the figures that were asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench.figures", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"{', '.join(FIGURES)} [default: all]")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write into [default: docs/figures]")
    options = parser.parse_args()
    if unknown := set(options.names) - set(FIGURES):
        parser.error(f"there is no figure {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or FIGURES:
        path = options.out / f"{name}.png"
        draw(FIGURES[name], path)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
