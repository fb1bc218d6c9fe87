"""Bad input: one clear line, exit code 1, and nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from command_line import command

import unmuffle

RATE = 16_000


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listing():
    return {str(path) for path in Path().rglob("*") if path.is_file()}


def refused(*arguments):
    """Run a command that has to fail, and return its one line."""
    before = listing()
    said = command("enhance", *arguments)
    assert said.code == 1
    assert listing() == before
    return said.error.removeprefix("unmuffle: ")


@pytest.fixture
def wav(folder, noisy_speech, write_file):
    return write_file(folder / "good.wav", noisy_speech(RATE, seconds=3.0), RATE)


@pytest.mark.parametrize("name", ["nowhere.wav", "no/where.wav"])
def test_a_file_that_is_missing(name):
    assert refused(name) == f"{name} does not exist: check the spelling and the folder"


def test_text_named_as_sound():
    Path("text.wav").write_text("Dear diary,\n")
    assert refused("text.wav") == "text.wav is not audio (it looks like text): give an audio or video file"


def test_bytes_of_no_meaning():
    Path("noise.wav").write_bytes(np.random.default_rng(0).bytes(5_000))
    assert refused("noise.wav").startswith("noise.wav is not audio that can be read")


def test_a_file_of_no_length():
    Path("empty.wav").write_bytes(b"")
    assert refused("empty.wav").startswith("empty.wav is empty (0 bytes)")


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "ogg"])
def test_a_header_without_samples(suffix):
    soundfile.write(f"header.{suffix}", np.zeros((0, 2)), 44_100)
    assert f"header.{suffix}" in refused(f"header.{suffix}")


def test_half_a_header(wav):
    Path("half.wav").write_bytes(wav.read_bytes()[:30])
    assert "half.wav" in refused("half.wav")


@pytest.mark.parametrize(("suffix", "subtype"), [("wav", "PCM_16"), ("wav", "FLOAT"), ("flac", "PCM_16")])
def test_what_is_left_of_a_truncated_file_is_enhanced_and_it_is_said(folder, noisy_speech, write_file, suffix, subtype):
    whole = write_file(folder / f"whole.{suffix}", noisy_speech(RATE, seconds=3.0), RATE, subtype)
    data = whole.read_bytes()
    Path(f"cut.{suffix}").write_bytes(data[: len(data) // 2])
    said = command("enhance", f"cut.{suffix}")
    assert said.code == 0
    assert "before its header says (3.0 s)" in said.err
    clear, rate = soundfile.read(f"cut.clear.{suffix}")
    assert 1.0 < len(clear) / rate < 2.0
    given = soundfile.read(whole)[0][: len(clear)]
    np.testing.assert_allclose(clear, unmuffle.enhance(given, RATE), atol=2.0**-14)


def test_what_is_not_a_number(folder, noisy_speech, write_file):
    audio = noisy_speech(RATE, seconds=3.0)
    audio[0, 20_000] = np.nan
    write_file(folder / "nan.wav", audio, RATE, "FLOAT")
    line = refused("nan.wav")
    assert line.startswith("nan.wav holds NaN or infinite samples, the first at 1.250 s (sample 20000, channel 0)")
    assert "--nonfinite silence" in line
    said = command("enhance", "nan.wav", "--nonfinite", "silence")
    assert said.code == 0
    assert "warning: nan.wav has 1 NaN or infinite samples: replaced by silence\n" in said.err
    assert np.isfinite(soundfile.read("nan.clear.wav")[0]).all()


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "FLOAT"])
def test_digital_silence_stays_silent(folder, write_file, subtype):
    write_file(folder / "silent.wav", np.zeros((2, RATE)), RATE, subtype)
    assert command("enhance", "silent.wav").code == 0
    clear = soundfile.read("silent.clear.wav")[0]
    assert clear.shape == (RATE, 2)
    assert not clear.any()


def test_silence_of_one_bit_does_not_get_louder(folder, write_file):
    toggling = np.random.default_rng(0).integers(0, 2, RATE) / 2.0**15
    write_file(folder / "bit.wav", toggling, RATE)
    assert command("enhance", "bit.wav").code == 0
    clear = soundfile.read("bit.clear.wav")[0]
    assert np.abs(clear).max() <= 2.0**-15


@pytest.mark.parametrize("link", ["itself", "symlink", "from symlink", "hard link"])
@pytest.mark.parametrize("option", [(), ("--overwrite",)])
def test_an_output_that_is_the_input(wav, link, option):
    before = wav.read_bytes()
    if "symlink" in link:
        Path("link.wav").symlink_to("good.wav")
    elif link == "hard link":
        os.link("good.wav", "link.wav")
    names = {"itself": ("good.wav", "good.wav"), "from symlink": ("link.wav", "good.wav")}
    source, destination = names.get(link, ("good.wav", "link.wav"))
    assert refused(source, "-o", destination, *option).startswith(f"{destination} is the source itself")
    assert wav.read_bytes() == before


def test_a_folder_that_is_its_own_output(wav):
    before = wav.read_bytes()
    assert "the source itself" in refused(".", "-o", ".", "--overwrite")
    assert wav.read_bytes() == before


def test_a_folder_without_audio():
    Path("notes").mkdir()
    Path("notes/diary.txt").write_text("Dear diary,\n")
    assert refused("notes") == "the folder notes holds no audio or video file"
    assert refused("*.wav") == "nothing matches the pattern *.wav"


@pytest.mark.skipif(sys.platform == "win32", reason="folders are protected in other ways there")
def test_a_folder_that_may_not_be_written_to(wav):
    # Nothing is forbidden to root but what the kernel itself forbids.
    forbidden = Path("/sys") if os.geteuid() == 0 else Path("locked")
    if os.geteuid() == 0 and not Path("/sys/kernel").exists():
        pytest.skip("root may write everywhere here")
    forbidden.mkdir(mode=0o500, exist_ok=True)
    assert f"{forbidden}/out.wav cannot be written: " in refused("good.wav", "-o", f"{forbidden}/out.wav")


def test_an_output_below_a_file(wav):
    Path("file").write_bytes(b"")
    assert refused("good.wav", "-o", "file/out.wav").startswith("file/out.wav cannot be written: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_behind_standard_output(wav, run_command):
    with Path("/dev/full").open("wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "unmuffle", "enhance", "good.wav", "-o", "-"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert process.returncode == 1
    expected = (
        "unmuffle: standard output cannot be written: the disk is full: free some space or choose another folder\n"
    )
    assert process.stderr.decode() == expected


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "m4a", "ogg", "aiff"])
def test_a_file_that_cannot_grow_leaves_nothing_behind(folder, noisy_speech, write_file, run_command, suffix):
    resource = pytest.importorskip("resource", reason="the size of files cannot be limited here")
    noise = 0.3 * np.random.default_rng(0).standard_normal((1, 60 * RATE)).clip(-3, 3)
    write_file(folder / "long.wav", noise, RATE)
    before = listing()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    # With little taken away, no codec can make it small.
    done = run_command("enhance", "long.wav", "-o", f"out.{suffix}", "--strength", "0.1", preexec_fn=limit)
    assert done.returncode == 1
    assert done.stderr.decode().startswith(f"unmuffle: out.{suffix} cannot be written: ")
    assert done.stderr.count(b"\n") == 1
    assert listing() == before


def test_a_disk_that_is_full(folder, run_command, names_in):
    """On a file system of one megabyte, where the system lets a test have one."""
    small = folder / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)]
    try:
        mounted = sys.platform == "linux" and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a small file system cannot be mounted here")
    try:
        soundfile.write("long.wav", 0.1 * np.random.default_rng(0).standard_normal(60 * RATE), RATE)
        for suffix in ("wav", "flac"):
            done = run_command("enhance", "long.wav", "-o", small / f"out.{suffix}", "--strength", "0.1")
            assert done.returncode == 1
            name = small / f"out.{suffix}"
            assert done.stderr.decode() == (
                f"unmuffle: {name} cannot be written: the disk is full: free some space or choose another folder\n"
            )
            assert names_in(small) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.parametrize("rate", [4_000, 384_000])
def test_a_rate_that_cannot_be_processed(folder, write_file, rate):
    write_file(folder / "odd.wav", np.full((1, rate), 0.1), rate)
    assert refused("odd.wav").startswith(f"odd.wav: sample_rate is {rate} Hz; 8000 to 192000 Hz")


@pytest.mark.parametrize("name", ["nowhere.wav", "text.wav", "empty.wav"])
def test_info_fails_in_one_line_too(name):
    Path("text.wav").write_text("Dear diary,\n")
    Path("empty.wav").write_bytes(b"")
    said = command("info", name)
    assert (said.code, said.out) == (1, "")
    assert name in said.error
