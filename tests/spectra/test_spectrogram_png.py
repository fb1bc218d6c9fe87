"""A spectrogram as pixels: of the size asked for, with what sounds where it sounds."""

from __future__ import annotations

import io
import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image

from unmuffle.errors import InvalidAudioError, InvalidParameterError, MissingExtraError
from unmuffle.measure.spectra import spectrogram_png

RATE = 16_000


def tone(hz: float, seconds: float = 2.0, amplitude: float = 1.0) -> np.ndarray:
    return amplitude * np.sin(2.0 * np.pi * hz * np.arange(round(RATE * seconds)) / RATE)


def indices(png: bytes) -> np.ndarray:
    """Place of each pixel's colour in the palette, 0 to 255."""
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    assert picture.mode == "P"
    return np.asarray(picture)


@pytest.mark.parametrize(
    ("seconds", "width", "height"), [(0.01, 40, 30), (2.0, 300, 64), (60.0, 123, 400), (1.0, 1, 1)]
)
def test_it_has_the_size_asked_for(seconds, width, height):
    assert indices(spectrogram_png(tone(100.0, seconds), RATE, width=width, height=height)).shape == (height, width)


def test_colours_are_magmas():
    picture = Image.open(io.BytesIO(spectrogram_png(tone(1000.0), RATE)))
    expected = np.round(255.0 * matplotlib.colormaps["magma"](np.arange(256))[:, :3])
    np.testing.assert_array_equal(np.reshape(picture.getpalette(), (-1, 3)), expected)


def test_levels_become_colours_in_proportion():
    # A full-scale sine has -3; its row is as high as one bin, 31.25 Hz.
    for level_db in (-40.0, -60.0, -80.0):
        sine = tone(1000.0, amplitude=10.0 ** ((level_db + 3.01) / 20.0))
        pixels = indices(spectrogram_png(sine, RATE, floor_db=-100.0, ceiling_db=0.0, width=100, height=257))
        assert pixels[:, 50].max() == pytest.approx(255.0 * (level_db + 100.0) / 100.0, abs=4.0)


@pytest.mark.parametrize(("scale", "share"), [("linear", 0.25), ("log", np.log2(40.0) / np.log2(160.0))])
def test_a_tone_lies_at_its_height(scale, share):
    pixels = indices(spectrogram_png(tone(2000.0), RATE, width=50, height=400, scale=scale, ceiling_db=0.0))
    assert pixels[:, 25].argmax() == pytest.approx(400 * (1.0 - share), abs=4)


def test_time_runs_to_the_right():
    audio = tone(1000.0) * (np.arange(2 * RATE) >= RATE)
    bright = indices(spectrogram_png(audio, RATE, width=200, height=50)).max(axis=0)
    assert bright[:95].max() == 0
    assert bright[105:195].min() == 255


def test_the_cuts_at_both_ends_are_not_seen():
    pixels = indices(spectrogram_png(tone(1234.5, 1.003), RATE, width=126, height=100))
    far = pixels[:50]
    assert far.max() == 0


def test_the_highest_frequency_can_be_chosen():
    pixels = indices(spectrogram_png(tone(1000.0), RATE, width=50, height=100, max_hz=2_000.0, ceiling_db=0.0))
    assert pixels[:, 25].argmax() == pytest.approx(50, abs=2)


def test_channels_are_averaged_and_silence_is_black():
    stereo = np.stack([tone(1000.0), np.zeros(2 * RATE)])
    assert indices(spectrogram_png(stereo, RATE)).max() > 0
    assert indices(spectrogram_png(np.zeros(RATE), RATE)).max() == 0


def test_what_is_out_of_range_is_refused(monkeypatch):
    for setting in ({"width": 0}, {"height": 1.5}, {"width": 100_000}):
        with pytest.raises(InvalidParameterError, match="must be a whole number from 1 to 8192"):
            spectrogram_png(tone(100.0), RATE, **setting)
    with pytest.raises(InvalidParameterError, match="floor_db must lie below ceiling_db"):
        spectrogram_png(tone(100.0), RATE, floor_db=0.0, ceiling_db=0.0)
    with pytest.raises(InvalidAudioError, match="no samples"):
        spectrogram_png(np.zeros(0), RATE)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="report"):
        spectrogram_png(tone(100.0), RATE)
