"""How figures look: colours for light and dark pages, fonts, and a matplotlib that is left as it was found.

Line colours are those of M. Okabe and K. Ito, "Color universal design" (2008), which people with any colour vision tell
apart, the lighter ones on dark. Levels are shown in magma, which is perceptually uniform; gains from blue (taken away)
to orange (added), with the page's own colour for nothing done.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Any

from unmuffle.measure.extras import REPORT, load_package

LEVEL_MAP = "magma"

_LOCK = RLock()


@dataclass(frozen=True)
class Palette:
    """Colours of one style; ``lines`` by the name of a signal, ``gains`` from most taken away to most added."""

    page: str
    text: str
    muted: str
    grid: str
    lines: dict[str, str]
    gains: tuple[str, ...]


LIGHT = Palette(
    page="#ffffff",
    text="#1b1b1f",
    muted="#62626b",
    grid="#dcdce2",
    lines={"noisy": "#d55e00", "enhanced": "#0072b2", "clean": "#009e73", "removed": "#a8578a"},
    gains=("#08306b", "#2171b5", "#9ecae1", "#ffffff", "#fdbf6f", "#e6701a", "#7f2704"),
)
DARK = Palette(
    page="#16161a",
    text="#ececf1",
    muted="#a2a2ad",
    grid="#34343c",
    lines={"noisy": "#e69f00", "enhanced": "#56b4e9", "clean": "#2bc49a", "removed": "#dd9cc4"},
    gains=("#b9dcff", "#478cca", "#1b446b", "#16161a", "#7a4010", "#e08a40", "#ffdcb8"),
)


def require_matplotlib() -> None:
    """Raise ``MissingExtraError`` where matplotlib is not installed."""
    load_package("matplotlib", REPORT, "a figure")


@contextmanager
def own_style(palette: Palette) -> Iterator[None]:
    """Draw with settings of our own, whatever the user's are, and put theirs back.

    matplotlib keeps settings for the whole process; one figure at a time may change them.
    """
    import matplotlib

    with _LOCK, matplotlib.rc_context(), warnings.catch_warnings():
        # Names in scripts that the font lacks are drawn as boxes; that is no reason to disturb a program.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        kept = {"backend", "interactive", "toolbar", "timezone", "date.epoch", "webagg.port", "webagg.address"}
        defaults = matplotlib.rcParamsDefault
        settings: Any = {key: defaults[key] for key in defaults if key not in kept and not key.startswith("backend")}
        matplotlib.rcParams.update(settings | _settings(palette))
        yield


def _settings(palette: Palette) -> dict[str, Any]:
    return {
        "font.family": ["sans-serif"],
        "font.size": 9.5,
        "axes.titlesize": 10.5,
        "axes.titlepad": 4.0,
        "axes.facecolor": palette.page,
        "axes.edgecolor": palette.muted,
        "axes.linewidth": 0.7,
        "axes.labelcolor": palette.text,
        "axes.titlecolor": palette.text,
        "axes.axisbelow": True,
        "figure.facecolor": palette.page,
        "savefig.facecolor": palette.page,
        "text.color": palette.text,
        "xtick.color": palette.muted,
        "ytick.color": palette.muted,
        "xtick.labelcolor": palette.text,
        "ytick.labelcolor": palette.text,
        "grid.color": palette.grid,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        # A dollar sign in the name of a file is no formula.
        "text.parse_math": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "unmuffle",
        "pdf.fonttype": 42,
    }
