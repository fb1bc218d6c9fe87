"""Enhancers by name: ours, peers and commands give what they give alone, in step with what they were given."""

from __future__ import annotations

import pickle
import sys
import time
import warnings
from importlib import metadata

import numpy as np
import pytest
from evaluation_clips import RATE, hiss, voice

import unmuffle
from unmuffle.denoise import METHODS
from unmuffle.errors import AudioFileError, InvalidAudioError, InvalidParameterError, MissingExtraError, UnmuffleError
from unmuffle.measure import estimate_delay
from unmuffle.measure.evaluation.enhancers import external, rnnoise
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.measure.evaluation.enhancers.registry import ENHANCER_NAMES, find_enhancer, find_enhancers
from unmuffle.measure.evaluation.in_step import bring_in_step

PYTHON = sys.executable


@pytest.fixture(scope="module")
def noisy() -> np.ndarray:
    clean = np.stack((voice(2.0), voice(2.0, seed=1)))
    return clean + hiss(clean.size, 0).reshape(clean.shape)


def test_all_names_are_found_and_can_be_sent_to_workers():
    assert {"auto", *METHODS, "noisereduce", "noisereduce-stationary", "rnnoise"} == set(ENHANCER_NAMES)
    for name in ENHANCER_NAMES:
        found = find_enhancer(name)
        assert found.name == name
        assert pickle.loads(pickle.dumps(found)).version == found.version
        assert found.version


@pytest.mark.parametrize("name", ["auto", "log_mmse", "log-mmse"])
def test_ours_are_ours(noisy, name):
    found = find_enhancer(name)
    assert np.array_equal(found.enhance(noisy, RATE), unmuffle.enhance(noisy, RATE, method=name))
    assert found.latency_ms(RATE) == unmuffle.open_stream(RATE, method=name).latency_ms
    assert found.version == f"unmuffle {unmuffle.__version__}"


@pytest.mark.parametrize("stationary", [False, True])
def test_noisereduce_is_as_it_ships(noisy, stationary):
    noisereduce = pytest.importorskip("noisereduce")
    name = "noisereduce-stationary" if stationary else "noisereduce"
    expected = noisereduce.reduce_noise(y=noisy, sr=RATE, stationary=stationary)
    found = find_enhancer(name)
    np.testing.assert_array_equal(found.enhance(noisy, RATE), expected)
    assert found.latency_ms(RATE) is None
    assert found.version == f"noisereduce {metadata.version('noisereduce')}"


def test_noisereduce_takes_silence_without_a_warning():
    pytest.importorskip("noisereduce")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find_enhancer("noisereduce").enhance(np.zeros((1, RATE), np.float32), RATE)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_rnnoise_is_in_step_and_removes_noise(rate):
    pytest.importorskip("pyrnnoise")
    clean = np.stack((voice(2.0, rate), 0.5 * voice(2.0, rate, seed=1)))
    given = clean + hiss(clean.size, 0).reshape(clean.shape)
    enhanced = find_enhancer("rnnoise").enhance(given, rate)
    assert enhanced.shape == given.shape
    assert abs(estimate_delay(given, enhanced, rate).seconds) < 0.0005
    before_the_voice = slice(0, rate // 12)
    assert np.std(enhanced[:, before_the_voice]) < 0.5 * np.std(given[:, before_the_voice])


def test_rnnoise_is_the_packages_own_but_for_rounding():
    package = pytest.importorskip("pyrnnoise.rnnoise")
    given = voice(1.0, 48_000) + hiss(48_000, 3)
    state = package.create()
    frames = [
        package.process_mono_frame(state, np.rint(frame * 32_768.0).astype(np.int16))[0]
        for frame in given.reshape(-1, 480)
    ]
    package.destroy(state)
    expected = np.concatenate(frames)[rnnoise.DELAY :] / 32_768.0
    found = find_enhancer("rnnoise").enhance(given[None], 48_000)[0, : expected.size]
    np.testing.assert_allclose(found, expected, atol=3.0 / 32_768)


def test_rnnoise_does_not_wrap_what_is_loud():
    pytest.importorskip("pyrnnoise")
    enhance = find_enhancer("rnnoise").enhance
    given = voice(1.0, 48_000)[None]
    loud, soft = enhance(4.0 * given, 48_000), enhance(given, 48_000)
    assert np.abs(loud).max() > 1.0
    assert np.abs(np.diff(loud)).max() < 8.0 * np.abs(np.diff(soft)).max()


def test_a_missing_package_is_named_with_its_install_command(monkeypatch):
    def none(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    for name, package in (("noisereduce", "noisereduce"), ("rnnoise", "pyrnnoise")):
        with pytest.raises(MissingExtraError, match=rf'{package}: pip install "unmuffle\[peers\]"'):
            find_enhancer(name)


def test_unknown_and_double_names_are_told():
    with pytest.raises(
        InvalidParameterError, match=r"no enhancer 'rnoise' \(did you mean rnnoise\?\); there are auto, "
    ):
        find_enhancer("rnoise")
    with pytest.raises(InvalidParameterError, match="two enhancers are called 'auto'"):
        find_enhancers(["auto", "auto"])
    with pytest.raises(InvalidParameterError, match="two enhancers are called 'noisy'"):
        find_enhancers([ClipEnhancer("noisy", lambda audio, _: audio)])


# Commands


def script(tmp_path, text: str) -> str:
    path = tmp_path / "tool.py"
    path.write_text(f"import sys, shutil\n{text}\n")
    return f"command:'{PYTHON}' '{path}' --from={{in}} {{out}}"


COPY = "shutil.copy(sys.argv[1].removeprefix('--from='), sys.argv[2])"


def test_a_command_is_given_a_file_and_writes_one(tmp_path, noisy):
    found = find_enhancer(script(tmp_path, COPY))
    np.testing.assert_allclose(found.enhance(noisy, RATE), noisy, atol=1.0 / 32_768)
    assert found.name == "python" or found.name.startswith("python")
    assert find_enhancer(f"mine={script(tmp_path, COPY)}").name == "mine"


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        (
            "sys.stderr.write('first\\nno model found\\n\\n'); sys.exit(3)",
            UnmuffleError,
            "exit code 3: no model found$",
        ),
        ("sys.exit(2)", UnmuffleError, "exit code 2: it said nothing"),
        ("pass", AudioFileError, "wrote nothing"),
        ("open(sys.argv[2], 'w').write('no audio')", AudioFileError, "not audio"),
    ],
)
def test_a_command_that_fails_tells_why(tmp_path, noisy, text, error, told):
    with pytest.raises(error, match=told):
        find_enhancer(script(tmp_path, text)).enhance(noisy, RATE)


def test_a_command_that_changes_the_rate_is_told(tmp_path, noisy):
    text = "import soundfile; soundfile.write(sys.argv[2], [0.0] * 8000, 8000)"
    with pytest.raises(AudioFileError, match="8000 Hz, and 16000 Hz were given"):
        find_enhancer(script(tmp_path, text)).enhance(noisy, RATE)


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path, noisy):
    mark = tmp_path / "still-there"
    late = f"import time; time.sleep(2); open({str(mark)!r}, 'w')"
    text = f"import subprocess, time; subprocess.Popen([sys.executable, '-c', {late!r}]); time.sleep(60)"
    found = external.external_command(script(tmp_path, text), timeout_s=0.8)
    started = time.perf_counter()
    with pytest.raises(UnmuffleError, match=r"ended after 0\.8 s"):
        found.enhance(noisy, RATE)
    assert time.perf_counter() - started < 2.0
    time.sleep(2.5)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("command:cat {in}", r"has no \{out\}"),
        ("command:cat {out}", r"has no \{in\}"),
        ("command:", r"has no \{in\}"),
        ("command:cat '{in} {out}", "cannot be split"),
        ("command:no-such-tool-here {in} {out}", "there is no command 'no-such-tool-here'"),
    ],
)
def test_commands_of_no_use_are_told_before_any_work(spec, told):
    with pytest.raises(InvalidParameterError, match=told):
        find_enhancer(spec)


# In step


@pytest.mark.parametrize("late", [400, -400, 1234])
def test_what_is_late_is_brought_in_step(noisy, late):
    moved = np.roll(noisy, late, axis=1)
    if late > 0:
        moved[:, :late] = 0.0
    found = bring_in_step(noisy, moved[:, : 2 * RATE + min(late, 0)], RATE)
    assert found.delay_ms == pytest.approx(1000.0 * late / RATE, abs=0.01)
    np.testing.assert_allclose(found.other, found.given, atol=2e-3)
    assert np.array_equal(found.cut(noisy), found.given)
    assert found.padded.shape == noisy.shape
    inner = slice(1300, 2 * RATE - 1300)
    np.testing.assert_allclose(found.padded[:, inner], noisy[:, inner], atol=2e-3)


def test_what_is_in_step_stays_as_it_is(noisy):
    found = bring_in_step(noisy, 0.5 * noisy, RATE)
    assert found.delay_ms is None
    assert np.array_equal(found.other, 0.5 * noisy)


def test_silence_and_a_little_less_are_taken(noisy):
    found = bring_in_step(noisy, np.zeros_like(noisy)[:, 100:], RATE)
    assert found.delay_ms is None
    assert found.given.shape == found.other.shape == (2, 2 * RATE - 100)
    assert found.padded.shape == noisy.shape


def test_what_an_enhancer_may_not_return(noisy):
    with pytest.raises(InvalidAudioError, match=r"1 channel\(s\), and 2 were given"):
        bring_in_step(noisy, noisy[0], RATE)
    with pytest.raises(InvalidAudioError, match=r"returned 0\.50 s, and 2\.00 s were given"):
        bring_in_step(noisy, noisy[:, : RATE // 2], RATE)
    with pytest.raises(InvalidAudioError, match="NaN"):
        bring_in_step(noisy, np.full_like(noisy, np.nan), RATE)
