"""``unmuffle enhance``: every option does what it says."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from command_line import command, ffmpeg, needs_ffmpeg, plain

import unmuffle
from unmuffle.signal.files import open_reader

RATE = 16_000


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def talk(folder, noisy_speech, write_file):
    return write_file(folder / "talk.wav", noisy_speech(RATE, seconds=2.0), RATE, "FLOAT")


def read(path_or_bytes):
    source = io.BytesIO(path_or_bytes) if isinstance(path_or_bytes, bytes) else path_or_bytes
    return soundfile.read(source, dtype="float64", always_2d=True)[0].T


def assert_is(path_or_bytes, expected, atol=1e-6):
    np.testing.assert_allclose(read(path_or_bytes), np.atleast_2d(expected), rtol=0, atol=atol)


def test_a_file_comes_out_beside_it_clear(talk):
    said = command("enhance", "talk.wav")
    assert said.code == 0
    assert said.out == ""
    assert said.err.startswith("talk.clear.wav: 2.00 s enhanced at ")
    assert_is("talk.clear.wav", unmuffle.enhance(read(talk), RATE))


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (("--method", "log_mmse"), {"method": "log_mmse"}),
        (("--method", "log-mmse"), {"method": "log_mmse"}),
        (("--strength", "0.25"), {"strength": 0.25}),
        (("--max-attenuation-db", "6"), {"max_attenuation_db": 6.0}),
        (("--residual",), {"residual": True}),
        (("--noise-profile", "0:00-0:01.5"), {"noise_profile": (0.0, 1.5)}),
        (("--noise-profile", "0.5-0:00:01"), {"noise_profile": (0.5, 1.0)}),
    ],
)
def test_settings_are_those_of_the_function(talk, options, settings):
    assert command("enhance", "talk.wav", "-o", "out.wav", *options).code == 0
    assert_is("out.wav", unmuffle.enhance(read(talk), RATE, **settings))


def test_the_noise_may_be_a_file_of_another_rate(talk, write_file):
    noise = 0.05 * np.random.default_rng(3).standard_normal(2 * 44_100)
    write_file(talk.with_name("noise.wav"), noise, 44_100, "FLOAT")
    assert command("enhance", "talk.wav", "-o", "out.wav", "--noise-profile", "noise.wav").code == 0
    assert_is("out.wav", unmuffle.enhance(read(talk), RATE, noise_profile="noise.wav"))
    assert np.abs(read("out.wav") - unmuffle.enhance(read(talk), RATE)).max() > 0.01


@pytest.mark.parametrize(("option", "linked"), [("--link-channels", True), ("--no-link-channels", False)])
def test_channels_are_linked_or_not(folder, noisy_speech, write_file, option, linked):
    audio = noisy_speech(RATE, channels=2)
    audio[1] += 0.1 * np.random.default_rng(4).standard_normal(audio.shape[1])
    write_file(folder / "stereo.wav", audio, RATE, "FLOAT")
    assert command("enhance", "stereo.wav", "-o", "out.wav", option).code == 0
    assert_is("out.wav", unmuffle.enhance(audio, RATE, link_channels=linked))
    assert np.abs(read("out.wav") - unmuffle.enhance(audio, RATE, link_channels=not linked)).max() > 1e-3


def test_what_was_removed_is_saved_beside(talk, names_in):
    assert command("enhance", "talk.wav", "-o", "out/clear.wav", "--save-removed").code == 0
    assert names_in("out") == ["clear.removed.wav", "clear.wav"]
    np.testing.assert_allclose(read("out/clear.wav") + read("out/clear.removed.wav"), read(talk), atol=1e-6)


def test_another_format_is_chosen_by_the_output_or_by_name(talk):
    assert command("enhance", "talk.wav", "-o", "clear.flac").code == 0
    assert command("enhance", "talk.wav", "--format", "flac").code == 0
    assert soundfile.info("clear.flac").format == soundfile.info("talk.clear.flac").format == "FLAC"


def test_existing_results_are_kept_replaced_or_skipped(talk):
    there = talk.with_name("talk.clear.wav")
    there.write_bytes(b"precious")
    said = command("enhance", "talk.wav")
    assert (said.code, said.error) == (
        1,
        "unmuffle: talk.clear.wav already exists: use --overwrite (in Python overwrite=True) to replace it",
    )
    said = command("enhance", "talk.wav", "--skip-existing")
    assert (said.code, said.err) == (0, "talk.clear.wav is there already: left as it is\n")
    assert there.read_bytes() == b"precious"
    assert command("enhance", "talk.wav", "--overwrite").code == 0
    assert read(there).shape == (1, 2 * RATE)
    said = command("enhance", "talk.wav", "--overwrite", "--skip-existing")
    assert said.code == 1
    assert "contradict" in said.error


def test_quiet_says_nothing_but_errors(talk):
    assert command("enhance", "talk.wav", "-q") == command("enhance", "talk.wav", "-q", "--overwrite")
    said = command("enhance", "talk.wav", "--quiet")
    assert said.code == 1
    assert "already exists" in said.error


@pytest.fixture
def tree(folder, noisy_speech, write_file):
    for seed, name in enumerate(("in/b.wav", "in/a/c.flac", "in/z.wav")):
        write_file(folder / name, noisy_speech(RATE, seed=seed), RATE)
    (folder / "in/m.wav").write_text("not sound\n")
    return folder / "in"


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_folder_goes_on_past_a_file_that_fails(tree, jobs):
    said = command("enhance", "in", "-o", "out", "--jobs", jobs)
    assert said.code == 1
    lines = said.err.splitlines()
    assert lines[0] == "unmuffle: in/m.wav is not audio (it looks like text): give an audio or video file"
    assert [line.split()[0] for line in lines[1:]] == ["length", "failed", "1.50", "1.50", "1.50", "3"]
    # In the order of the plan, though they may have been done in another.
    assert [line.split()[-1] for line in lines[2:-1]] == ["in/m.wav", "out/a/c.flac", "out/b.wav", "out/z.wav"]
    assert lines[-1].startswith("3 enhanced, 1 failed: 4.50 s of audio in ")
    for name in ("a/c.flac", "b.wav", "z.wav"):
        assert_is(tree.parent / "out" / name, unmuffle.enhance(read(tree / name), RATE), atol=2.0**-15)


def test_a_run_is_gone_on_with(tree):
    (tree / "m.wav").unlink()
    assert command("enhance", "in/*.wav", "-o", "out").code == 0
    said = command("enhance", "in", "-o", "out", "--skip-existing")
    assert said.code == 0
    assert said.err.splitlines()[-1].startswith("1 enhanced, 2 left as they were: 1.50 s of audio")
    said = command("enhance", "in", "-o", "out", "--skip-existing")
    assert said.err.splitlines()[-1] == "0 enhanced, 3 left as they were"


def test_long_names_stay_whole_in_the_summary(folder, noisy_speech, write_file):
    name = f"{'very ' * 30}long.wav"
    for place in ("in", "in/deep"):
        write_file(folder / place / name, noisy_speech(RATE, seconds=0.5), RATE)
    said = command("enhance", "in", "-o", "out")
    assert f"out/{name}\n" in said.err
    assert f"out/deep/{name}\n" in said.err


def test_names_are_shown_as_they_are(folder, noisy_speech, write_file):
    name = "[red]:smile: take[/1].wav".replace("/", "-")
    write_file(folder / name, noisy_speech(RATE, seconds=0.5), RATE)
    assert command("enhance", name, "-o", "[bold].wav").err.startswith("[bold].wav: ")
    assert command("enhance", name, "--overwrite", "-o", name).error.startswith(f"unmuffle: {name} is the source")
    said = command("info", name)
    assert said.out.startswith(f"{name}\n")


def test_wav_from_standard_input_to_standard_output(talk, run_command):
    done = run_command("enhance", "-", input=talk.read_bytes())
    assert done.returncode == 0
    assert_is(done.stdout, unmuffle.enhance(read(talk), RATE))
    assert done.stderr.startswith(b"standard output: 2.00 s enhanced")
    assert run_command("enhance", talk, "-o", "-", "-q").stdout == done.stdout
    run_command("enhance", "-", "-o", "out.wav", input=talk.read_bytes())
    assert_is("out.wav", unmuffle.enhance(read(talk), RATE))


def test_headerless_samples_from_pipe_to_pipe(noisy_speech, run_command):
    audio = np.rint(noisy_speech(48_000, channels=1)[0] * 2.0**15).astype("<i2")
    done = run_command("enhance", "-", "-q", "--raw", "s16le,48000,1", input=audio.tobytes())
    assert (done.returncode, done.stderr) == (0, b"")
    np.testing.assert_array_equal(np.frombuffer(done.stdout, "<i2"), unmuffle.enhance(audio, 48_000))


def test_headerless_files(folder, noisy_speech):
    audio = noisy_speech(8_000, channels=2).astype("<f4")
    (folder / "call.raw").write_bytes(audio.T.tobytes())
    assert command("enhance", "call.raw", "--raw", "f32le,8000,2").code == 0
    clear = np.fromfile("call.clear.raw", "<f4").reshape(-1, 2).T
    np.testing.assert_allclose(clear, unmuffle.enhance(audio, 8_000), atol=1e-6)


def test_a_pipe_that_is_closed_early_is_one_line(talk, run_command):
    long = np.tile(read(talk), 40)
    soundfile.write("long.wav", long.T, RATE)
    enhance = subprocess.Popen(
        [sys.executable, "-m", "unmuffle", "enhance", "long.wav", "-o", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    enhance.stdout.read(100)
    enhance.stdout.close()
    error = enhance.stderr.read()
    enhance.stderr.close()
    assert enhance.wait(60) == 1
    assert error == b"unmuffle: standard output cannot be written: whoever was reading it has gone\n"


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["mp3", "m4a", "opus", "ogg", "flac", "aiff"])
def test_common_formats_stay_what_they_are(folder, noisy_speech, write_file, suffix):
    write_file(folder / "talk.wav", noisy_speech(48_000, seconds=2.0, channels=2), 48_000)
    ffmpeg("-i", "talk.wav", f"in.{suffix}")
    assert command("enhance", f"in.{suffix}").code == 0
    with open_reader(f"in.{suffix}") as before, open_reader(f"in.clear.{suffix}") as after:
        assert (after.info.codec, after.info.sample_rate, after.info.channels) == (before.info.codec, 48_000, 2)
        one, other = before.read(10**6), after.read(10**6)
    # One frame of a codec at the very end may be padding.
    assert abs(one.shape[1] - other.shape[1]) <= 2_048
    length = min(one.shape[1], other.shape[1])
    assert np.corrcoef(unmuffle.enhance(one, 48_000)[0, :length], other[0, :length])[0, 1] > 0.9


@needs_ffmpeg
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_a_video_keeps_its_picture(folder, noisy_speech, write_file, suffix):
    write_file(folder / "talk.wav", noisy_speech(48_000, seconds=2.0), 48_000)
    picture = ("-f", "lavfi", "-i", "testsrc=size=160x120:rate=10:duration=2")
    ffmpeg("-i", "talk.wav", *picture, "-c:a", "aac", "-shortest", f"in.{suffix}")
    assert command("enhance", f"in.{suffix}", "-o", f"out.{suffix}").code == 0
    for name in (f"in.{suffix}", f"out.{suffix}"):
        ffmpeg("-i", name, "-map", "0:v", "-c", "copy", "-f", "framemd5", f"{name}.md5")
    sums = [
        [line.split(",")[-1] for line in (folder / f"{name}.{suffix}.md5").read_text().splitlines() if line[0] != "#"]
        for name in ("in", "out")
    ]
    assert len(sums[0]) == 20
    assert sums[0] == sums[1]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_shows_a_bar_with_speed_and_time_left(talk):
    import pty

    soundfile.write("long.wav", np.tile(read(talk), 40).T, RATE)
    terminal, end = pty.openpty()
    enhance = subprocess.Popen(
        [sys.executable, "-m", "unmuffle", "enhance", "long.wav", "talk.wav"],
        stdout=subprocess.PIPE,
        stderr=end,
        env=os.environ | {"COLUMNS": "100", "TERM": "xterm-256color"},
    )
    os.close(end)
    shown = b""
    try:
        while piece := os.read(terminal, 65_536):
            shown += piece
    except OSError:
        # Linux ends a terminal whose other side was closed by an error.
        pass
    os.close(terminal)
    out, _ = enhance.communicate(timeout=60)
    assert (enhance.returncode, out) == (0, b"")
    text = plain(shown.decode())
    assert "0 of 2 files" in text
    assert "x real time" in text
    assert "%" in text
    assert "-:--:--" in text or "0:00:0" in text
    # The bar is gone at the end, and the summary stays.
    assert text.splitlines()[-1].startswith("2 enhanced: 1:22 min of audio in ")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--jobs", "0"), "--jobs"),
        (("--jbos", "2"), "--jobs"),
        ((), "No such command"),
    ],
)
def test_a_mistyped_command_line_is_explained(talk, arguments, hint, names_in):
    said = command("enhance", "talk.wav", *arguments) if arguments else command("enhence", "talk.wav")
    assert said.code == 2
    assert hint in said.err.splitlines()[-1]
    assert names_in(".") == ["talk.wav"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "wienr"), "did you mean wiener"),
        (("--strength", "2"), "strength is 2.0"),
        (("--strength", "much"), "--strength is 'much'; it must be a number from 0 to 1, or auto"),
        (("--max-attenuation-db", "-1"), "max_attenuation_db is -1.0"),
        (("--nonfinite", "ignore"), "'raise' or 'silence', not 'ignore'"),
        (("--noise-profile", "0:03-0:01"), "ends before it starts"),
        (("--noise-profile", "quiet.wav"), "neither a file that exists nor a span"),
        (("--noise-profile", "0:10-0:11"), "beyond the end of the audio"),
        (("--raw", "s16,48000"), "FORMAT,RATE,CHANNELS"),
        (("--raw", "s17le,48000,1"), "'s17le' is not known"),
        (("--format", "xyz"), "extension .xyz"),
        (("-o", "out"), "no extension"),
    ],
)
def test_a_value_that_cannot_be_is_one_line(talk, arguments, message, names_in):
    said = command("enhance", "talk.wav", *arguments)
    assert said.code == 1
    assert message in said.error
    assert names_in(".") == ["talk.wav"]


def test_the_strength_over_time_is_told_and_saved(talk):
    said = command("enhance", "talk.wav", "--strength", "auto", "--keep", "music", "--save-strength")
    assert said.code == 0
    assert "strength 1.00 on average, 0 % of the time untouched" in said.err
    table = np.loadtxt("talk.clear.strength.csv", delimiter=",", skiprows=1)
    assert table.shape == (125, 2)
    assert (table[0, 0], table[-1, 0]) == (0.008, 1.992)
    assert np.all(table[:, 1] == 1.0)
    assert_is("talk.clear.wav", unmuffle.Enhancer(strength="auto", keep="music").enhance(read(talk), RATE))


@pytest.mark.parametrize("options", [("--preset", "meeting"), ("--chain", "denoise,limit"), ("--chain", "denoise")])
def test_the_strength_is_found_within_chains(talk, options):
    assert command("enhance", "talk.wav", "-o", "out.wav", "--save-strength", *options).code == 0
    assert (talk.parent / "out.strength.csv").read_text().startswith("time_s,strength\n0.008,1.0000\n")


def test_a_chain_without_a_denoiser_has_no_strength(talk, names_in):
    said = command("enhance", "talk.wav", "-o", "out.wav", "--save-strength", "--chain", "highpass")
    assert said.code == 0
    assert "no denoiser of varying strength" in said.err
    assert names_in(talk.parent) == ["out.wav", "talk.wav"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--save-strength",), "the strength is 1 all the time: --save-strength is for --strength auto"),
        (("--save-strength", "--strength", "auto", "-o", "-"), "--save-strength needs a file to go beside"),
        (("--keep", "birds"), "keep is 'birds'; what can be kept besides voices is 'music'"),
        (("--keep", "music", "--chain", "highpass"), "keep is for the denoiser, which chain lacks"),
    ],
)
def test_strengths_that_cannot_be_saved_are_refused_first(talk, names_in, options, message):
    said = command("enhance", "talk.wav", *options)
    assert said.code == 1
    assert said.error.startswith(f"unmuffle: {message}")
    assert names_in(talk.parent) == ["talk.wav"]


def test_a_table_that_exists_is_replaced_only_when_told(talk):
    there = talk.with_name("talk.clear.strength.csv")
    there.write_text("precious")
    options = ("enhance", "talk.wav", "--strength", "auto", "--save-strength")
    said = command(*options)
    assert (said.code, said.error) == (
        1,
        "unmuffle: talk.clear.strength.csv already exists: use --overwrite to replace it",
    )
    assert not talk.with_name("talk.clear.wav").exists()
    assert command(*options, "--overwrite").code == 0
    assert there.read_text().startswith("time_s")
