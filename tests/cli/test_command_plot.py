"""``unmuffle plot`` draws versions of one recording, and says in one line what it cannot draw."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import soundfile
from command_line import command
from PIL import Image

RATE = 16_000


@pytest.fixture
def folder(tmp_path, noisy_speech, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noisy = noisy_speech(RATE, 3.0)[0]
    for name, audio in (("noisy", noisy), ("clear", 0.5 * noisy), ("clean", noisy)):
        soundfile.write(tmp_path / f"{name}.wav", audio, RATE, "FLOAT")
    return tmp_path


def titles(path) -> list[str]:
    """All text in an SVG."""
    return [piece.rsplit(">", 1)[1] for piece in path.read_text().split("</text>")[:-1]]


def test_three_files_in_one_figure(folder):
    said = command("plot", "noisy.wav", "clear.wav", "clean.wav", "-o", "figure.svg")
    assert (said.code, said.out, said.err) == (0, "", "figure.svg\n")
    shown = titles(folder / "figure.svg")
    for title in ("Noisy: noisy.wav", "Enhanced: clear.wav", "Removed", "Clean: clean.wav", "Gain", "Time in s"):
        assert title in shown


def test_one_file_alone_is_named_after_it(folder):
    said = command("plot", "noisy.wav")
    assert said.err == "noisy.plot.png\n"
    with Image.open(folder / "noisy.plot.png") as picture:
        assert picture.size[0] == 1650
        assert picture.size[1] > 700


def test_a_span_is_drawn_with_its_own_times(folder):
    said = command("plot", "noisy.wav", "--start", "0:01", "--end", "1.4", "-o", "span.svg", "--title", "A word", "-q")
    assert (said.code, said.err) == (0, "")
    shown = titles(folder / "span.svg")
    assert "A word" in shown
    assert {"1.00", "1.40"} <= set(shown) or {"1.0", "1.4"} <= set(shown)
    assert "2.0" not in shown


def test_looks_are_handed_on(folder):
    said = command("plot", "noisy.wav", "--dark", "--dpi", "40", "--scale", "mel", "--max-hz", "4000", "-o", "dark.png")
    assert said.code == 0
    picture = Image.open(folder / "dark.png").convert("L")
    assert picture.size[0] == 440
    assert picture.getpixel((0, 0)) < 40


def test_a_delay_is_said(folder):
    noisy, _ = soundfile.read("noisy.wav")
    soundfile.write("late.wav", np.concatenate((np.zeros(320), noisy)), RATE)
    said = command("plot", "noisy.wav", "late.wav", "-o", "late.png", "--dpi", "30")
    assert said.code == 0
    assert "late.wav is 20.0 ms late: compensated" in said.err


def test_a_figure_is_replaced_only_when_told(folder):
    (folder / "figure.png").write_bytes(b"old")
    said = command("plot", "noisy.wav", "-o", "figure.png")
    assert said.code == 1
    assert said.error == "unmuffle: figure.png already exists: use --overwrite (in Python overwrite=True) to replace it"
    assert (folder / "figure.png").read_bytes() == b"old"
    assert command("plot", "noisy.wav", "-o", "figure.png", "--overwrite", "--dpi", "30").code == 0
    with Image.open(folder / "figure.png") as picture:
        assert picture.size[0] == 330


def test_recordings_that_do_not_belong_together_are_named(folder, names_in):
    noisy, _ = soundfile.read("noisy.wav")
    soundfile.write("slow.wav", noisy[::2], RATE // 2)
    soundfile.write("stereo.wav", np.stack([noisy, noisy], axis=1), RATE)
    soundfile.write("short.wav", noisy[:RATE], RATE)
    before = names_in(folder)
    for name, message in (
        ("slow.wav", "slow.wav has 8000 Hz and noisy.wav 16000 Hz: resample one of them first"),
        ("stereo.wav", "stereo.wav has 2 channel(s) and noisy.wav 1"),
        ("short.wav", "noisy.wav has 3.00 s and short.wav 1.00 s: give versions of one recording"),
        ("nowhere.wav", "nowhere.wav does not exist"),
    ):
        said = command("plot", "noisy.wav", name, "-o", "figure.png")
        assert said.code == 1
        assert said.error.startswith(f"unmuffle: {message}")
    assert names_in(folder) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-o", "figure.gif"), "figure.gif is not a name for a figure: end it in .png, .svg or .pdf"),
        (("--start", "7"), "--start 7 lies behind the end of noisy.wav at 3.00 s"),
        (("--start", "3"), "--start 3 is the end of noisy.wav"),
        (("--start", "soon"), "--start 'soon' is no time: give seconds, or such as 1:30 or 0:01:30.5"),
        (("--end", "nan"), "--end 'nan' is no time"),
        (("--start", "2", "--end", "1"), "--end 1 is not after --start 2"),
        (("--start", "2.95"), "a spectrum needs at least 0.125 s of audio, not 0.050 s"),
        (("--scale", "bark"), "frequency scale 'bark' is not known: choose one of linear, log, mel"),
        (("--dpi", "1"), "dpi must be 20 to 1200, not 1.0"),
        (("--max-hz", "-3"), "max_hz must be at least 100 Hz, not -3.0"),
        (("--range-db", "0"), "range_db must be 20 to 150 dB, not 0.0"),
    ],
)
def test_options_that_cannot_be_are_refused(folder, names_in, options, message):
    before = names_in(folder)
    said = command("plot", "noisy.wav", *options)
    assert said.code == 1
    assert said.error.startswith(f"unmuffle: {message}")
    assert names_in(folder) == before


def test_a_missing_matplotlib_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = command("plot", "noisy.wav")
    assert said.code == 1
    assert said.error == 'unmuffle: a figure needs the package matplotlib: pip install "unmuffle[report]"'


def test_standard_input_needs_a_name_for_its_figure():
    assert command("plot", "-").error == "unmuffle: a figure of standard input needs a name: give one with --output"


def test_the_strength_over_time_is_drawn_in_its_place(folder):
    (folder / "strength.csv").write_text("time_s,strength\n0.5,1.0\n1.5,0.25\n2.5,0.0\n")
    drawn = ("plot", "noisy.wav", "clear.wav", "--strength", "strength.csv")
    said = command(*drawn, "-o", "figure.svg")
    assert (said.code, said.err) == (0, "figure.svg\n")
    shown = titles(folder / "figure.svg")
    assert "Strength" in shown
    assert shown.index("Gain") < shown.index("Strength") < shown.index("Long-term spectrum")
    assert command(*drawn[:3], "-o", "without.svg").code == 0
    assert "Strength" not in titles(folder / "without.svg")


def test_a_strength_that_cannot_be_read_is_said_first(folder, names_in):
    (folder / "other.csv").write_text("a,b\n1,2\n")
    before = names_in(folder)
    for name, message in (("other.csv", "other.csv is no table of strength"), ("no.csv", "no.csv cannot be read")):
        said = command("plot", "noisy.wav", "--strength", name, "-o", "figure.png")
        assert said.code == 1
        assert said.error.startswith(f"unmuffle: {message}")
    assert names_in(folder) == before
