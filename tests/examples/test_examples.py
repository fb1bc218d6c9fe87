"""The example recording holds what its README says, and the generators behind it keep their word."""

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import get_window, welch

from unmuffle.level import active_level_db

EXAMPLES = Path(__file__).parents[2] / "examples"
CLIPS = EXAMPLES.parent / "tests" / "quality" / "clips"
RATE = 48_000
NOISES = ["rain", "fan", "keyboard", "hiss", "hum", "street", "music"]
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


@pytest.fixture
def load(monkeypatch):
    """Import a module of the examples folder, which is not a package, and forget it after the test."""
    monkeypatch.syspath_prepend(EXAMPLES)
    own = [path.stem for path in EXAMPLES.glob("*.py")]
    for name in own:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in own:
        sys.modules.pop(name, None)


def read(name, folder=EXAMPLES):
    audio, rate = soundfile.read(folder / name)
    assert rate == RATE
    return audio


def level_db(signal):
    return 10 * np.log10(np.mean(np.square(signal, dtype=np.float64)))


def level_of_loud_stretches_db(speech):
    """A plain stand-in for the active level: 200 ms stretches within 26 dB of the loudest."""
    stretches = speech[: speech.size // 9600 * 9600].reshape(-1, 9600)
    energy = np.mean(stretches**2, axis=1)
    return 10 * np.log10(np.mean(energy[energy > energy.max() / 400]))


# The committed pair


def test_pair_is_mono_48_khz_16_bit_and_equally_long():
    infos = [soundfile.info(EXAMPLES / name) for name in ("noisy.flac", "clean.flac")]
    for info in infos:
        assert (info.samplerate, info.channels, info.format, info.subtype) == (RATE, 1, "FLAC", "PCM_16")
        assert 15 <= info.duration <= 20
    assert infos[0].frames == infos[1].frames


def test_pair_is_small():
    assert sum((EXAMPLES / name).stat().st_size for name in ("noisy.flac", "clean.flac")) <= 2_500_000


@pytest.mark.parametrize("meter", ["P.56", "loud stretches"])
def test_pair_has_the_stated_snr(meter):
    clean, noisy = read("clean.flac"), read("noisy.flac")
    speech_db = active_level_db(clean, RATE) if meter == "P.56" else level_of_loud_stretches_db(clean)
    assert speech_db - level_db(noisy - clean) == pytest.approx(5.0, abs=0.5)


def test_pair_peaks_at_minus_3_dbfs():
    assert 20 * np.log10(np.abs(read("noisy.flac")).max()) == pytest.approx(-3.0, abs=0.01)


def test_first_second_is_noise_alone():
    clean, noisy = read("clean.flac")[:RATE], read("noisy.flac")[:RATE]
    assert not clean.any()
    assert level_db(noisy) > -40


def test_clean_is_aligned_with_noisy_and_at_its_level():
    clean, noisy = read("clean.flac"), read("noisy.flac")
    size = 2 * clean.size
    correlation = np.fft.irfft(np.fft.rfft(noisy, size) * np.conj(np.fft.rfft(clean, size)), size)
    assert np.argmax(correlation) == 0
    assert correlation[0] / np.sum(clean**2) == pytest.approx(1.0, abs=0.03)


# The generators


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_noise_is_finite_float32_of_the_stated_length_and_level(load, name, rate):
    noise = getattr(load("noises"), name)(2.5, rate, np.random.default_rng(0))
    assert noise.dtype == np.float32
    assert noise.shape == (round(2.5 * rate),)
    assert np.isfinite(noise).all()
    assert level_db(noise) == pytest.approx(-20.0, abs=0.01)


@pytest.mark.parametrize("name", NOISES)
def test_noise_depends_on_the_seed_alone(load, name):
    make = getattr(load("noises"), name)
    first, again, other = (make(1.0, RATE, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("seed", range(3))
def test_fan_hums_at_multiples_of_50_hz(load, seed):
    hum = load("noises").fan(20.0, RATE, np.random.default_rng(seed))
    frequencies, power = welch(hum, RATE, get_window("hann", 4 * RATE), 4 * RATE)
    for multiple in (50, 100, 200, 300):
        near = np.abs(frequencies - multiple) < 0.6
        around = (np.abs(frequencies - multiple) > 2) & (np.abs(frequencies - multiple) < 7)
        assert power[near].max() > 10 * power[around].mean(), multiple


def test_keyboard_is_bursts_and_fan_is_not(load):
    noises = load("noises")
    crest_db = {
        name: 20 * np.log10(np.abs(noise).max()) - level_db(noise)
        for name in ("keyboard", "fan")
        for noise in [getattr(noises, name)(10.0, RATE, np.random.default_rng(0))]
    }
    assert crest_db["keyboard"] > 25
    assert crest_db["fan"] < 17


@pytest.mark.parametrize("rt60_s", [0.2, 0.25, 0.4, 0.7])
def test_room_decays_in_the_stated_time(load, rt60_s):
    response = load("room").room_response(rt60_s, RATE, np.random.default_rng(1)).astype(np.float64)
    # Schroeder's backward integration, read between -5 and -25 dB (ISO 3382 T20).
    left = np.cumsum(response[::-1] ** 2)[::-1]
    decay_db = 10 * np.log10(left / left[0])
    fall_s = (np.argmax(decay_db < -25) - np.argmax(decay_db < -5)) / RATE
    assert 3 * fall_s == pytest.approx(rt60_s, rel=0.15)


def test_room_starts_with_an_undelayed_direct_sound_of_one(load):
    room = load("room")
    for seed in range(20):
        response = room.room_response(0.3, RATE, np.random.default_rng(seed))
        assert response.dtype == np.float32
        assert response[0] == 1
        assert np.abs(response[1:]).max() < 1
        assert np.array_equal(room.early_part(response, RATE), response[:2400])
        assert np.array_equal(response, room.room_response(0.3, RATE, np.random.default_rng(seed)))


def test_room_refuses_a_talker_outside_of_it(load):
    with pytest.raises(ValueError, match="distance_m"):
        load("room").room_response(0.3, RATE, np.random.default_rng(0), distance_m=2.0)


@needs_espeak
def test_babble_is_several_voices_and_depends_on_the_seed_alone(load):
    babble = load("noises").babble
    first, again, other = (babble(1.5, 16_000, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    assert level_db(first) == pytest.approx(-20.0, abs=0.01)


def test_hum_is_lines_and_hiss_is_none(load):
    noises = load("noises")
    for name, share in (("hum", 0.99), ("hiss", 0.2)):
        noise = getattr(noises, name)(8.0, 16_000, np.random.default_rng(0))
        frequencies, power = welch(noise, 16_000, get_window("hann", 16_000), 16_000)
        below = frequencies < 1500
        on_lines = np.abs(frequencies[below] / 50 - np.rint(frequencies[below] / 50)) <= 3 / 50
        found = power[below][on_lines].sum() / power.sum()
        assert (found > share) == (name == "hum"), (name, found)


# The script


@needs_espeak
def test_script_makes_the_pair_again(tmp_path):
    command = [sys.executable, EXAMPLES / "make_recording.py", "--seed", "7", "--out"]
    for folder in ("first", "second"):
        subprocess.run([*command, tmp_path / folder], check=True, capture_output=True)
    for name in ("noisy.flac", "clean.flac"):
        # Other versions of eSpeak NG speak a little faster or slower.
        assert read(name, tmp_path / "first").size == pytest.approx(read(name).size, rel=0.1)
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == ["clean.flac", "noisy.flac"]


@needs_espeak
def test_script_makes_the_evaluation_clips_again(tmp_path):
    made = tmp_path / "clips"
    command = [sys.executable, EXAMPLES / "make_evaluation_clips.py", "--out", made]
    subprocess.run(command, check=True, capture_output=True)
    assert (made / "pairs.csv").read_bytes() == (CLIPS / "pairs.csv").read_bytes()
    names = sorted(path.relative_to(CLIPS) for path in CLIPS.rglob("*.flac"))
    assert sorted(path.relative_to(made) for path in made.rglob("*.flac")) == names
    for name in names:
        info, committed = soundfile.info(made / name), soundfile.info(CLIPS / name)
        assert (info.samplerate, info.channels) == (committed.samplerate, committed.channels)
        assert info.frames == pytest.approx(committed.frames, rel=0.1)


@pytest.mark.parametrize("script", ["make_recording.py", "make_evaluation_clips.py"])
def test_scripts_say_how_to_install_a_missing_espeak(tmp_path, script):
    command = [sys.executable, EXAMPLES / script, "--out", tmp_path]
    done = subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert "apt-get install espeak-ng" in done.stderr
    assert not list(tmp_path.iterdir())
