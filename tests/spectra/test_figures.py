"""Figures show what they were given, on one scale, labelled, and leave matplotlib as they found it."""

from __future__ import annotations

import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from unmuffle.errors import InvalidAudioError, InvalidParameterError, MissingExtraError, OutputExistsError
from unmuffle.measure.spectra import FigureLook, figure_of, save_figure

RATE = 16_000


def noise(seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(RATE * seconds))


@pytest.fixture(scope="module")
def three():
    clean = noise() * (np.arange(2 * RATE) > RATE)
    noisy = clean + 0.1 * noise(seed=1)
    return figure_of(noisy, RATE, enhanced=clean + 0.01 * noise(seed=1), clean=clean)


def images(figure) -> dict[str, object]:
    return {axes.get_title(loc="left"): axes.images[0] for axes in figure.axes if axes.images}


def test_all_four_spectrograms_are_there_on_one_scale_and_one_pair_of_axes(three):
    shown = images(three)
    assert list(shown) == ["Noisy", "Enhanced", "Removed", "Clean", "Gain"]
    levels = [shown[name] for name in ("Noisy", "Enhanced", "Removed", "Clean")]
    assert len({image.get_clim() for image in levels}) == 1
    assert len({(image.axes.get_xlim(), image.axes.get_ylim()) for image in shown.values()}) == 1
    assert levels[0].axes.get_xlim() == (0.0, 2.0)
    assert levels[0].axes.get_ylim() == (0.0, 8.0)
    assert shown["Gain"].get_clim() == (-30.0, 30.0)


def test_pixels_are_the_levels_and_gains_of_the_audio(three):
    shown = {name: np.asarray(image.get_array()) for name, image in images(three).items()}
    silent, sounding = slice(5, 55), slice(75, 120)
    # White noise of -20 dBFS has -42.3 dBFS in a bin, and its mean level in dB lies 2.5 dB lower.
    assert shown["Clean"][10:-10, sounding].mean() == pytest.approx(-44.8, abs=0.5)
    assert (shown["Clean"][:, silent] == -200.0).all()
    assert shown["Noisy"][10:-10, silent].mean() == pytest.approx(-64.8, abs=0.5)
    assert shown["Enhanced"][10:-10, silent].mean() == pytest.approx(-84.8, abs=0.5)
    # 0.9 of the noise.
    assert shown["Removed"][10:-10, silent].mean() == pytest.approx(-65.7, abs=0.5)
    assert shown["Gain"][10:-10, silent].mean() == pytest.approx(-20.0, abs=0.1)
    assert np.median(shown["Gain"][10:-10, sounding]) == pytest.approx(0.0, abs=0.2)


def test_long_term_spectra_are_those_of_the_analysis(three):
    (axes,) = (axes for axes in three.axes if axes.get_title(loc="left") == "Long-term spectrum")
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert list(lines) == ["Noisy", "Enhanced", "Removed", "Clean"]
    hz, density_db = lines["Clean"].get_data()
    # Half of the time at a variance of 0.01.
    expected = 10.0 * np.log10(0.005 / 8_000.0)
    assert np.abs(density_db[hz > 1_000.0] - expected).max() < 1.0
    assert len({line.get_color() for line in lines.values()}) == 4
    assert axes.get_xscale() == "log"


def test_axes_are_labelled_in_words_and_units(three, tmp_path):
    save_figure(three, tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text()
    level_dbfs = 10.0 * np.log10(np.square(noise()[RATE:]).mean() / 2.0)
    for label in (
        *(
            "Time in s",
            "Frequency in kHz",
            "Frequency in Hz",
            "Level in dBFS",
            "Gain in dB",
            "dBFS per Hz",
            "Amplitude",
        ),
        *(
            "Noisy",
            "Enhanced",
            "Removed",
            "Clean",
            "Long-term spectrum",
            "Waveform",
            f"RMS {level_dbfs:.1f} dBFS".replace("-", "−"),
        ),
    ):
        assert f">{label}</text>" in text, label


def test_a_png_has_the_size_that_was_asked_for_and_is_not_blank(three, tmp_path):
    save_figure(three, tmp_path / "figure.png", dpi=50)
    picture = Image.open(tmp_path / "figure.png").convert("RGB")
    assert picture.size == tuple(int(50 * inches) for inches in three.get_size_inches())
    pixels = np.asarray(picture)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 500
    assert (pixels[0, 0] == 255).all()


def test_a_pdf_is_one(three, tmp_path):
    save_figure(three, tmp_path / "deep" / "figure.PDF")
    assert (tmp_path / "deep" / "figure.PDF").read_bytes().startswith(b"%PDF-")


def test_the_same_audio_gives_the_same_file(tmp_path):
    for name in ("one", "two"):
        figure = figure_of(noise(), RATE, look=FigureLook(title=None))
        for suffix in ("png", "svg"):
            save_figure(figure, tmp_path / f"{name}.{suffix}", dpi=40)
    for suffix in ("png", "svg"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


def test_one_signal_alone_has_its_spectrogram_and_spectrum():
    figure = figure_of(noise(), RATE)
    assert list(images(figure)) == ["Noisy"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Waveform", "Noisy", "", "Long-term spectrum"]


def test_dark_figures_are_dark(tmp_path):
    save_figure(figure_of(noise(), RATE, look=FigureLook(dark=True)), tmp_path / "dark.png", dpi=40)
    pixels = np.asarray(Image.open(tmp_path / "dark.png").convert("L"))
    assert pixels[0, 0] < 40
    assert np.median(pixels) < 128


@pytest.mark.parametrize("scale", ["linear", "log", "mel"])
def test_a_tone_is_drawn_at_its_frequency_on_every_scale(scale):
    tone = np.sin(2.0 * np.pi * 2000.0 * np.arange(RATE) / RATE)
    (image,) = images(figure_of(tone, RATE, look=FigureLook(scale=scale))).values()
    level_db = np.asarray(image.get_array())[:, 30]
    low, high = image.get_extent()[2:]
    place = low + (level_db.argmax() + 0.5) / level_db.size * (high - low)
    expected = {"linear": 2.0, "log": np.log2(2000.0), "mel": 2595.0 * np.log10(1.0 + 2000.0 / 700.0)}[scale]
    assert place == pytest.approx(expected, abs=(high - low) / 100)
    assert "2" in [tick.get_text() for tick in image.axes.get_yticklabels()]


def test_the_highest_frequency_can_be_chosen_and_times_start_where_they_are_told():
    figure = figure_of(noise(), RATE, look=FigureLook(max_hz=3_000.0, start_s=61.5, title="A title"))
    axes = images(figure)["Noisy"].axes
    assert axes.get_ylim() == (0.0, 3.0)
    assert axes.get_xlim() == (61.5, 63.5)
    assert figure.get_suptitle() == "A title"


def test_a_delay_is_told_below_and_channels_are_averaged():
    stereo = np.stack([noise(), noise(seed=1)])
    figure = figure_of(stereo, RATE, enhanced=np.roll(0.5 * stereo, 400, axis=1))
    assert figure.get_supxlabel() == "2 channels averaged by power; Enhanced is 25.0 ms late: compensated"
    gain = np.asarray(images(figure)["Gain"].get_array())
    assert np.median(gain) == pytest.approx(-6.02, abs=0.01)


def test_long_audio_is_told_in_minutes(tmp_path):
    figure = figure_of(noise(400.0), RATE)
    save_figure(figure, tmp_path / "long.svg", dpi=40)
    text = (tmp_path / "long.svg").read_text()
    assert ">Time in min:s</text>" in text
    assert ">5:00</text>" in text
    assert np.asarray(images(figure)["Noisy"].get_array()).shape[1] <= 1_600


def test_silence_can_be_drawn(tmp_path):
    save_figure(figure_of(np.zeros(RATE), RATE, enhanced=np.zeros(RATE)), tmp_path / "silence.png", dpi=40)
    assert (tmp_path / "silence.png").stat().st_size > 1_000


@pytest.mark.parametrize("title", ["$x_1$ & <b>", "音声.wav", r"100 % \frac", "_hidden"])
def test_a_title_is_taken_as_it_is(title, tmp_path):
    figure = figure_of(noise(), RATE, look=FigureLook(title=title, labels={"noisy": title}))
    save_figure(figure, tmp_path / "titled.png", dpi=40)
    assert figure.get_suptitle() == title


def settings() -> dict[str, object]:
    """The user's settings; asking for the backend in the usual way would choose one."""
    return {key: dict.__getitem__(matplotlib.rcParams, key) for key in matplotlib.rcParams}


def test_settings_and_backend_stay_those_of_the_user(tmp_path):
    matplotlib.rcParams["font.size"] = 31.0
    before = settings()
    try:
        figure = figure_of(noise(), RATE)
        save_figure(figure, tmp_path / "figure.png", dpi=40)
        assert settings() == before
        assert figure.axes[0].yaxis.label.get_fontsize() < 12.0
    finally:
        matplotlib.rcParams["font.size"] = matplotlib.rcParamsDefault["font.size"]


def test_figures_drawn_at_the_same_time_leave_the_settings_alone(tmp_path):
    before = settings()

    def draw(number: int) -> None:
        save_figure(
            figure_of(noise(), RATE, look=FigureLook(dark=bool(number % 2))), tmp_path / f"{number}.png", dpi=30
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(draw, range(6)))
    assert settings() == before
    corners = [np.asarray(Image.open(tmp_path / f"{number}.png").convert("L"))[0, 0] for number in range(6)]
    assert [corner < 128 for corner in corners] == [False, True] * 3


@pytest.mark.parametrize("backend", [None, "svg"])
def test_pyplot_is_never_loaded_and_no_backend_chosen(tmp_path, backend):
    program = (
        "import sys, numpy; from unmuffle.measure.spectra import figure_of, save_figure, spectrogram_png\n"
        "assert 'matplotlib' not in sys.modules and 'scipy' not in sys.modules\n"
        f"save_figure(figure_of(numpy.ones(8000), 8000), {str(tmp_path / 'a.png')!r})\n"
        "spectrogram_png(numpy.ones(9), 8000)\n"
        "import matplotlib\n"
        "print('matplotlib.pyplot' in sys.modules, dict.__getitem__(matplotlib.rcParams, 'backend'))"
    )
    environment = {"PATH": "", "MPLCONFIGDIR": str(tmp_path)} | ({"MPLBACKEND": backend} if backend else {})
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)
    loaded, chosen = done.stdout.split(maxsplit=1)
    assert loaded == "False"
    # What matplotlib holds before anybody asks for a backend is an object without a name.
    assert chosen.startswith(backend or "<object object")


def test_a_file_that_is_there_stays_unless_told_otherwise(three, tmp_path):
    there = tmp_path / "figure.png"
    there.write_bytes(b"old")
    with pytest.raises(OutputExistsError, match="already exists"):
        save_figure(three, there)
    assert there.read_bytes() == b"old"
    save_figure(three, there, overwrite=True, dpi=30)
    assert struct.unpack(">I", there.read_bytes()[16:20])[0] == 330


def test_nothing_is_left_behind_where_drawing_fails(three, tmp_path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("in the midst")

    monkeypatch.setattr(three, "savefig", fail)
    with pytest.raises(RuntimeError, match="in the midst"):
        save_figure(three, tmp_path / "figure.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "png"])
def test_other_kinds_of_files_are_refused(three, tmp_path, name):
    with pytest.raises(InvalidParameterError, match=r"end it in \.png, \.svg or \.pdf"):
        save_figure(three, Path(tmp_path / name))


def test_what_is_out_of_range_is_refused(three, tmp_path):
    with pytest.raises(InvalidParameterError, match="dpi must be 20 to 1200, not 5000"):
        save_figure(three, tmp_path / "figure.png", dpi=5_000)
    with pytest.raises(InvalidParameterError, match="'bark' is not known: choose one of linear, log, mel"):
        FigureLook(scale="bark")
    with pytest.raises(InvalidParameterError, match="range_db must be 20 to 150 dB"):
        FigureLook(range_db=0.0)
    with pytest.raises(InvalidParameterError, match="max_hz must be at least 100 Hz, not 10"):
        figure_of(noise(), RATE, look=FigureLook(max_hz=10.0))
    with pytest.raises(InvalidAudioError, match="noisy has 32,000 samples and clean 16,000"):
        figure_of(noise(), RATE, clean=noise(1.0))


def test_a_missing_matplotlib_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r'pip install "unmuffle\[report\]"'):
        figure_of(noise(), RATE)
