"""Figures of arrays: the pattern of a beam, and directions over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unmuffle.measure.spectra.style import LEVEL_MAP, LIGHT, own_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from unmuffle.array import BeamPattern, FoundDirection

POLAR_HZ = (500.0, 1_000.0, 2_000.0, 4_000.0)
DEEPEST_DB = -40.0
WIDTH_INCHES = 11.0


def draw_pattern(pattern: BeamPattern, title: str) -> Figure:
    """Draw the response over azimuth and frequency, cuts at octaves, directivity and white-noise gain."""
    from matplotlib.figure import Figure

    with own_style(LIGHT):
        figure = Figure(figsize=(WIDTH_INCHES, 7.0), layout="constrained")
        figure.suptitle(title)
        panels = figure.add_gridspec(2, 2)
        whole = figure.add_subplot(panels[0, :])
        image = whole.pcolormesh(
            pattern.azimuths_deg, pattern.frequencies_hz, pattern.gain_db, vmin=DEEPEST_DB, vmax=0.0, cmap=LEVEL_MAP,
            shading="nearest", rasterized=True,
        )  # fmt: skip
        whole.set(xlabel="Azimuth in degrees", ylabel="Frequency in Hz", title="Response")
        figure.colorbar(image, ax=whole, label="dB")
        cuts = figure.add_subplot(panels[1, 0], projection="polar")
        for hz in POLAR_HZ:
            at = int(np.abs(pattern.frequencies_hz - hz).argmin())
            gains = np.maximum(pattern.gain_db[at], DEEPEST_DB)
            cuts.plot(np.deg2rad(pattern.azimuths_deg), gains, label=f"{hz:.0f} Hz")
        cuts.set_ylim(DEEPEST_DB, 3.0)
        cuts.legend(loc="center left", bbox_to_anchor=(1.1, 0.5))
        gains_panel = figure.add_subplot(panels[1, 1])
        gains_panel.plot(pattern.frequencies_hz, pattern.directivity_db, label="Directivity index")
        gains_panel.plot(pattern.frequencies_hz, pattern.white_noise_gain_db, label="White-noise gain")
        gains_panel.set(xlabel="Frequency in Hz", ylabel="dB")
        gains_panel.grid(visible=True)
        gains_panel.legend()
    return figure


def draw_directions(found: list[FoundDirection], half: bool) -> Figure:
    """Draw azimuths over time, darker where they stand out; of 0 to 180 degrees where only half is told apart."""
    from matplotlib.figure import Figure

    with own_style(LIGHT):
        figure = Figure(figsize=(WIDTH_INCHES, 4.0), layout="constrained")
        panel = figure.add_subplot()
        for track in sorted({one.track for one in found}):
            own = [one for one in found if one.track == track]
            panel.scatter(
                [one.time_s for one in own], [one.direction.azimuth_deg for one in own],
                s=[8.0 + 24.0 * one.salience for one in own], label=f"Source {track + 1}",
            )  # fmt: skip
        panel.set(xlabel="Time in s", ylabel="Azimuth in degrees", ylim=(0.0, 180.0 if half else 360.0))
        panel.grid(visible=True)
        if found:
            panel.legend(loc="upper right")
    return figure
