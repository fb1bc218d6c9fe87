"""What an array cannot do is said in one line, with the value and the way out: in Python, live and by the command."""

from __future__ import annotations

import re

import numpy as np
import pytest
import soundfile
from array_signals import RATE, plane_wave, voice
from typer.testing import CliRunner

from unmuffle.array import ArrayGeometry, beamform, open_stream
from unmuffle.cli.app import app
from unmuffle.errors import InvalidAudioError, InvalidParameterError

LINE = ArrayGeometry.linear(4, 0.05)
SINGLE = "the recording has a single channel, and space needs two: use unmuffle.enhance or 'unmuffle enhance'"
OTHER_NUMBER = (
    "circle8 has 8 microphones and the recording 4 channels: give the geometry of those that were recorded, in the "
    "order of the channels"
)
TWICE = "microphones 1 and 2 of twice are in one place: correct or drop one of them"
GHOSTS = (
    "spatial aliasing above 858 Hz: at 20.0 cm from microphone to microphone a beam has ghosts there; bring them "
    "nearer, or use a mask- method, which needs no geometry"
)
SPEECH = (
    r"the noise holds speech in \d\d % of its frames, which would be taken out of the voice as well: choose a part "
    "without the voice, or a mask- method, which needs none"
)
NO_DIRECTION = (
    "the post-filter mccowan needs the direction of the voice, and mask-mvdr knows none: choose das, superdirective, "
    "mvdr, lcmv or gsc, or denoise in its place"
)
DIRECTIONS = {
    "361": "azimuth is 361.0 degrees; it must be -180 to 360",
    "nan": "azimuth is nan degrees; it must be -180 to 360",
    "30,91": "elevation is 91.0 degrees; it must be -90 to 90",
    "30,0,0": "distance is 0.0 m; it must be above 0, or left out if far",
    "north": "'north' is no direction: give degrees such as 30, or azimuth,elevation,metres",
    "1,2,3,4": "'1,2,3,4' is no direction: give degrees such as 30, or azimuth,elevation,metres",
}


@pytest.fixture(scope="module")
def audio():
    """A second of noise, then a voice from 60 degrees."""
    speech = plane_wave(LINE, 60.0, np.concatenate((np.zeros(RATE), voice(3.0))))
    return speech + 0.002 * np.random.default_rng(0).standard_normal(speech.shape)


@pytest.fixture
def folder(tmp_path, audio, monkeypatch):
    monkeypatch.chdir(tmp_path)
    soundfile.write("rec.wav", audio.T, RATE, "FLOAT")
    soundfile.write("mono.wav", audio[0], RATE, "FLOAT")
    (tmp_path / "twice.csv").write_text("0,0,0\n0.1,0,0\n0.1,0,0\n0.2,0,0\n")
    (tmp_path / "wide.toml").write_text('shape = "linear"\nmicrophones = 4\nspacing_m = 0.2\n')
    return tmp_path


def said_of(*arguments):
    """What the command says on standard error, and how it ends."""
    result = CliRunner().invoke(app, ["beamform", *arguments, "-o", "out.wav"])
    return result.exit_code, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", result.stderr)


@pytest.mark.parametrize(("toward", "said"), DIRECTIONS.items())
def test_a_direction_out_of_range(folder, audio, toward, said):
    with pytest.raises(InvalidParameterError, match=f"^{re.escape(said)}$"):
        beamform(audio, RATE, LINE, method="das", toward=toward)
    with pytest.raises(InvalidParameterError, match=f"^{re.escape(said)}$"):
        open_stream(LINE, RATE, method="das", toward=toward)
    assert said_of("rec.wav", "-g", "linear4", "--method", "das", "--toward", toward) == (1, f"unmuffle: {said}\n")
    assert not (folder / "out.wav").exists()


def test_a_geometry_of_another_number_of_microphones(folder, audio):
    with pytest.raises(InvalidParameterError, match=f"^{re.escape(OTHER_NUMBER)}$"):
        beamform(audio, RATE, "circle8", method="das", toward=60)
    with pytest.raises(InvalidAudioError, match=re.escape("a block must have shape [8, samples], not [4, 160]")):
        open_stream("circle8", RATE).process(audio[:, :160].astype(np.float32))
    assert said_of("rec.wav", "-g", "circle8") == (1, f"unmuffle: {OTHER_NUMBER}\n")


def test_positions_that_are_one_place(folder):
    with pytest.raises(InvalidParameterError, match=f"^{TWICE}$"):
        ArrayGeometry([[0, 0, 0], [0.1, 0, 0], [0.1, 0, 0], [0.2, 0, 0]], "twice")
    assert said_of("rec.wav", "-g", "twice.csv") == (1, f"unmuffle: {TWICE}\n")


def test_spatial_aliasing_is_warned_of_with_its_frequency(folder, audio):
    wide = ArrayGeometry.linear(4, 0.2)
    _, report = beamform(audio, RATE, wide, method="das", toward=60, check=False)
    assert report.warnings == (GHOSTS,)
    assert open_stream(wide, RATE, method="das", toward=60).warnings == (GHOSTS,)
    assert open_stream(wide, RATE).warnings == ()
    assert open_stream(ArrayGeometry.linear(4, 0.03), RATE, method="das", toward=60).warnings == ()
    code, said = said_of("rec.wav", "-g", "wide.toml", "--method", "das", "--toward", "60", "--no-check")
    assert code == 0
    assert " ".join(said.split()).startswith(f"warning: {GHOSTS}")


@pytest.mark.parametrize("method", ["mvdr", "lcmv"])
def test_noise_that_holds_speech(folder, audio, method):
    told = {"method": method, "toward": 60}
    with pytest.raises(InvalidAudioError, match=f"^{SPEECH}$"):
        beamform(audio, RATE, LINE, noise=(0.5, 4.0), **told)
    with pytest.raises(InvalidAudioError, match=f"^{SPEECH}$"):
        open_stream(LINE, RATE, noise=audio[:, RATE:], **told)
    _, report = beamform(audio, RATE, LINE, noise=(0.0, 1.0), **told)
    assert not any("speech" in warning for warning in report.warnings)
    # A second of noise, and less of speech: it may be music or a far voice, so that it is only warned of.
    _, report = beamform(audio, RATE, LINE, noise=(0.0, 1.7), **told)
    assert re.match(r"the noise may hold speech in \d\d % of its frames, which is taken out", report.warnings[0])
    code, said = said_of("rec.wav", "-g", "linear4", "--method", method, "--toward", "60", "--noise-profile", "1-3")
    assert code == 1
    assert re.fullmatch(f"unmuffle: {SPEECH}\n", said)


def test_a_single_channel_is_told_what_to_use_instead(folder, audio):
    for single in (audio[0], audio[:1]):
        with pytest.raises(InvalidParameterError, match=f"^{re.escape(SINGLE)}$"):
            beamform(single, RATE)
    with pytest.raises(InvalidParameterError, match=r"for a single channel use unmuffle\.enhance, or 'unmuffle"):
        open_stream(1, RATE)
    with pytest.raises(InvalidParameterError, match=r"one microphone is no array: use unmuffle\.enhance"):
        ArrayGeometry([[0.0, 0.0, 0.0]])
    assert said_of("mono.wav") == (1, f"unmuffle: {SINGLE}\n")
    assert said_of("mono.wav", "-g", "linear4") == (1, f"unmuffle: {SINGLE}\n")


def test_a_post_filter_without_a_direction_or_of_no_name(folder, audio):
    with pytest.raises(InvalidParameterError, match=f"^{re.escape(NO_DIRECTION)}$"):
        beamform(audio, RATE, postfilter="mccowan")
    assert said_of("rec.wav", "--postfilter", "mccowan") == (1, f"unmuffle: {NO_DIRECTION}\n")
    unknown = "there is no post-filter 'x': choose among none, zelinski, mccowan"
    assert said_of("rec.wav", "--postfilter", "x") == (1, f"unmuffle: {unknown}\n")
    das = ("rec.wav", "-g", "linear4", "--method", "das", "--toward", "60")
    assert said_of(*das, "--postfilter", "mccowan", "-q") == (0, "")
    written, _ = soundfile.read("out.wav")
    expected, _ = beamform(audio, RATE, "linear4", method="das", toward=60, postfilter="mccowan")
    np.testing.assert_allclose(written, expected, atol=1e-6)


def test_swapped_channels_are_told(folder, audio):
    long = np.tile(audio[:, RATE:], 3)
    soundfile.write("swapped.wav", long[[1, 0, 2, 3]].T, RATE, "FLOAT")
    code, said = said_of("swapped.wav", "-g", "linear4", "--method", "das", "--toward", "60")
    told = " ".join(said.split())
    assert code == 0
    assert re.match(r"warning: channels 0 and 1 look swapped: what is heard fits the geometry \d\.\d times as", told)
    assert "the other way; they are taken the other way round" in told


@pytest.mark.parametrize("given", [4, np.eye(3)])
def test_what_is_no_geometry(audio, given):
    with pytest.raises(InvalidParameterError, match=r"make ArrayGeometry\(positions_m\)"):
        beamform(audio, RATE, given)


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        (5, "the noise 5 is no span: give (start_s, end_s)"),
        ((3.0, 1.0), "the noise from 3.0 s to 1.0 s is no span: start before end"),
        ((30.0, 31.0), "the noise from 30.0 s to 31.0 s lies beyond the first minute, or the end"),
    ],
)
def test_a_span_of_noise_that_is_none(audio, noise, said):
    with pytest.raises((InvalidParameterError, InvalidAudioError), match=f"^{re.escape(said)}$"):
        beamform(audio, RATE, LINE, method="mvdr", toward=60, noise=noise)


def test_noise_for_a_stream_that_does_not_fit(audio):
    with pytest.raises(InvalidAudioError, match="the noise has 3 channels; it must have 4, as the array"):
        open_stream(LINE, RATE, method="mvdr", toward=60, noise=audio[:3])
    with pytest.raises(InvalidAudioError, match=r"the noise is complex, of shape \[4, 64000\]"):
        open_stream(LINE, RATE, method="mvdr", toward=60, noise=audio.astype(complex))
    with pytest.raises(InvalidParameterError, match="das takes no sample of noise"):
        open_stream(LINE, RATE, method="das", toward=60, noise=audio)
