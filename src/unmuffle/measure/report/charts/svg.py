"""A small SVG writer: elements with escaped text and attributes, scales with round ticks, markers of many shapes."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

COLOURS = 8
MARKERS = 6
"""Together they tell 24 series apart, each from those before it by both."""


class Svg:
    """A drawing that is built up element by element, in units of about a pixel.

    Parameters
    ----------
    width, height : float
        Of the drawing; it is shown as wide as there is room.
    label : str
        What it shows, for those who cannot see it.
    """

    def __init__(self, width: float, height: float, label: str) -> None:
        box = f"0 0 {_number(width)} {_number(height)}"
        self._parts = [f'<svg class="chart" viewBox="{box}" role="img" aria-label="{escape(label)}">']

    def add(self, tag: str, text: str | None = None, tip: str | None = None, **attributes: object) -> None:
        """Add an element; ``kind`` is its class, and underscores in names of attributes stand for hyphens."""
        written = "".join(
            f' {"class" if name == "kind" else name.replace("_", "-")}="{escape(_number(value))}"'
            for name, value in attributes.items()
        )
        inside = escape(text or "") + (f"<title>{escape(tip)}</title>" if tip else "")
        self._parts.append(f"<{tag}{written}>{inside}</{tag}>" if inside else f"<{tag}{written}/>")

    def marker(self, x: float, y: float, style: int, tip: str | None = None, radius: float = 4.0) -> None:
        """Add the marker of a series."""
        self.add("path", tip=tip, d=_marker_path(x, y, radius, style), kind=f"mark {series_class(style)}")

    def render(self) -> str:
        """Return the drawing."""
        return "".join([*self._parts, "</svg>"])


@dataclass(frozen=True)
class Scale:
    """A linear scale from values to places, with round ticks.

    Attributes
    ----------
    low, high : float
        Values at the ends.
    start, end : float
        Their places.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Return round values within the scale, at most about so many."""
        step = _round_step((self.high - self.low) / max(1, most))
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]


def scale_over(low: float, high: float, start: float, end: float) -> Scale:
    """Return a scale that holds a range with some room around it, also where all of it is one value."""
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    return Scale(low - room, high + room, start, end)


def tick_text(value: float) -> str:
    """Return a tick's value without needless digits."""
    return f"{value + 0.0:.6g}".replace("-", "−")


def series_class(style: int) -> str:
    """Return the class of a series: -1 is the clip as it came."""
    return "sn" if style < 0 else f"s{style % COLOURS}"


def legend_marker(style: int) -> str:
    """Return a drawing of the marker of a series alone."""
    return (
        f'<svg class="key" viewBox="0 0 14 14" aria-hidden="true">'
        f'<path class="mark {series_class(style)}" d="{_marker_path(7, 7, 5, style)}"/></svg>'
    )


def _round_step(step: float) -> float:
    power = 10.0 ** floor(log10(step))
    return next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if power * factor >= step * (1.0 - 1e-9))


def _marker_path(x: float, y: float, r: float, style: int) -> str:
    shape = 0 if style < 0 else style % MARKERS
    if shape == 0:
        return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z"
    points = {
        1: ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        2: ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        3: ((0, -1.2), (1.15, 0.85), (-1.15, 0.85)),
        4: ((0, 1.2), (1.15, -0.85), (-1.15, -0.85)),
        5: ((-1.2, -0.4), (1.2, -0.4), (1.2, 0.4), (-1.2, 0.4)),
    }[shape]
    return "M" + "L".join(f"{x + r * across:.1f} {y + r * down:.1f}" for across, down in points) + "z"


def _number(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
