"""A file is enhanced as its samples would be as an array, whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

import unmuffle
from unmuffle.signal.files import RawFormat

RATE = 16_000


def read(path_or_file):
    samples, rate = soundfile.read(path_or_file, dtype="float64", always_2d=True)
    return samples.T, rate


def integers(path):
    return soundfile.read(path, dtype="int32", always_2d=True)[0].T


@pytest.fixture
def source(tmp_path, noisy_speech, write_file):
    return write_file(tmp_path / "noisy.wav", noisy_speech(RATE, seconds=5.0, channels=2), RATE, "PCM_24")


@pytest.mark.parametrize(("subtype", "lsb"), [("PCM_16", 2.0**-15), ("PCM_24", 2.0**-23), ("FLOAT", 2.0**-23)])
def test_a_file_is_enhanced_as_its_array(tmp_path, noisy_speech, write_file, subtype, lsb):
    source = write_file(tmp_path / "noisy.wav", noisy_speech(RATE, seconds=5.0, channels=2), RATE, subtype)
    report = unmuffle.Enhancer().enhance_file(source, tmp_path / "clear.wav")
    clear, rate = read(tmp_path / "clear.wav")
    assert soundfile.info(tmp_path / "clear.wav").subtype == subtype
    assert (rate, clear.shape[1]) == (RATE, 5 * RATE)
    expected = unmuffle.enhance(read(source)[0], RATE)
    np.testing.assert_allclose(clear, expected, rtol=0, atol=1.01 * lsb)
    assert report.warnings == ()


def test_settings_reach_the_file(source, tmp_path):
    enhancer = unmuffle.Enhancer("wiener", strength=0.7, max_attenuation_db=10, residual=True, link_channels=False)
    enhancer.enhance_file(source, tmp_path / "removed.wav")
    expected = enhancer.enhance(read(source)[0], RATE)
    np.testing.assert_allclose(read(tmp_path / "removed.wav")[0], expected, atol=2.0**-22)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24"])
def test_no_strength_gives_identical_samples(tmp_path, noisy_speech, write_file, subtype):
    source = write_file(tmp_path / "noisy.wav", noisy_speech(RATE, channels=2, speech=1.9), RATE, subtype)
    unmuffle.Enhancer(strength=0.0).enhance_file(source, tmp_path / "same.wav")
    np.testing.assert_array_equal(integers(tmp_path / "same.wav"), integers(source))


def test_what_was_removed_and_the_result_add_up_to_the_source(source, tmp_path):
    unmuffle.Enhancer().enhance_file(source, tmp_path / "clear.wav", save_removed=tmp_path / "removed.wav")
    removed, _ = read(tmp_path / "removed.wav")
    assert np.abs(removed).max() > 0.01
    np.testing.assert_allclose(read(tmp_path / "clear.wav")[0] + removed, read(source)[0], rtol=0, atol=2.0**-22)


def test_progress_never_goes_back_and_reaches_the_end(source, tmp_path):
    calls = []
    unmuffle.Enhancer().enhance_file(
        source, tmp_path / "clear.wav", progress=lambda seconds, total: calls.append((seconds, total))
    )
    done = [seconds for seconds, _ in calls]
    assert len(done) >= 3
    assert done == sorted(done)
    assert (done[0], done[-1]) == (2.0, 5.0)
    assert {total for _, total in calls} == {5.0}


def test_the_report_tells_what_was_done(source, tmp_path):
    report = unmuffle.Enhancer().enhance_file(source, tmp_path / "clear.wav")
    assert (report.source, report.destination) == (str(source), str(tmp_path / "clear.wav"))
    assert (report.seconds, report.sample_rate, report.channels) == (5.0, RATE, 2)
    assert 0.0 < report.elapsed_s < 60.0
    assert report.speed == pytest.approx(5.0 / report.elapsed_s)


def test_bytes_and_file_objects_go_in_and_out(source, tmp_path):
    enhancer = unmuffle.Enhancer("wiener")
    enhancer.enhance_file(source, tmp_path / "clear.wav")
    expected, _ = read(tmp_path / "clear.wav")
    out, removed = io.BytesIO(), io.BytesIO()
    report = enhancer.enhance_file(source.read_bytes(), out, save_removed=removed)
    assert (report.source, report.destination) == ("the given bytes", "the given stream")
    np.testing.assert_array_equal(read(io.BytesIO(out.getvalue()))[0], expected)
    assert read(io.BytesIO(removed.getvalue()))[0].shape == expected.shape
    with source.open("rb") as opened, (tmp_path / "second.wav").open("wb") as written:
        report = enhancer.enhance_file(opened, written)
        assert not opened.closed
        assert not written.closed
    assert report.source == str(source)
    np.testing.assert_array_equal(read(tmp_path / "second.wav")[0], expected)


def test_headerless_samples(tmp_path, noisy_speech):
    audio = np.rint(noisy_speech(RATE)[0] * 2.0**15).astype("<i2")
    out = io.BytesIO()
    unmuffle.Enhancer().enhance_file(audio.tobytes(), out, raw=RawFormat("s16le", RATE, 1))
    np.testing.assert_array_equal(np.frombuffer(out.getvalue(), "<i2"), unmuffle.enhance(audio, RATE))


def test_a_result_that_exists_is_replaced_only_on_demand(source, tmp_path):
    there = tmp_path / "clear.wav"
    there.write_bytes(b"precious")
    with pytest.raises(unmuffle.OutputExistsError, match=r"clear\.wav already exists.*overwrite"):
        unmuffle.Enhancer().enhance_file(source, there)
    assert there.read_bytes() == b"precious"
    unmuffle.Enhancer().enhance_file(source, there, overwrite=True)
    assert read(there)[0].shape == (2, 5 * RATE)


def test_what_was_removed_does_not_replace_a_file_either(source, tmp_path):
    there = tmp_path / "removed.wav"
    there.write_bytes(b"precious")
    with pytest.raises(unmuffle.OutputExistsError, match=r"removed\.wav already exists"):
        unmuffle.Enhancer().enhance_file(source, tmp_path / "clear.wav", save_removed=there)
    assert there.read_bytes() == b"precious"
    assert not (tmp_path / "clear.wav").exists()


@pytest.fixture(params=["itself", "symlink", "hard link", "way round"])
def same_file(request, source):
    other = source.with_name("other.wav")
    if request.param == "symlink":
        other.symlink_to(source)
    elif request.param == "hard link":
        os.link(source, other)
    elif request.param == "way round":
        return source.parent / ".." / source.parent.name / source.name
    return source if request.param == "itself" else other


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_source_is_never_overwritten(source, same_file, tmp_path, overwrite):
    before = source.read_bytes()
    enhancer = unmuffle.Enhancer()
    with pytest.raises(unmuffle.AudioFileError, match="is the source itself"):
        enhancer.enhance_file(source, same_file, overwrite=overwrite)
    with pytest.raises(unmuffle.AudioFileError, match="is the source itself"):
        enhancer.enhance_file(source, tmp_path / "clear.wav", save_removed=same_file, overwrite=overwrite)
    assert source.read_bytes() == before
    assert not (tmp_path / "clear.wav").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_was_removed_does_not_go_over_the_result(source, tmp_path, overwrite, names_in):
    with pytest.raises(unmuffle.AudioFileError, match="is the result itself"):
        unmuffle.Enhancer().enhance_file(
            source, tmp_path / "clear.wav", save_removed=tmp_path / "clear.wav", overwrite=overwrite
        )
    assert names_in(tmp_path) == ["noisy.wav"]


@pytest.mark.parametrize("failing_at", [1, 2])
def test_an_error_in_the_middle_leaves_nothing_behind(source, tmp_path, failing_at, names_in):
    calls = []

    def fail(seconds: float, total: float | None) -> None:
        calls.append(seconds)
        if len(calls) == failing_at:
            raise ZeroDivisionError

    before = (tmp_path / "clear.wav").write_bytes(b"precious")
    with pytest.raises(ZeroDivisionError):
        unmuffle.Enhancer().enhance_file(
            source, tmp_path / "clear.wav", save_removed=tmp_path / "removed.wav", overwrite=True, progress=fail
        )
    assert (tmp_path / "clear.wav").stat().st_size == before
    assert names_in(tmp_path) == ["clear.wav", "noisy.wav"]


def test_samples_that_are_not_finite(tmp_path, noisy_speech, write_file):
    audio = noisy_speech(RATE, seconds=5.0, channels=2)
    audio[1, 50_000] = np.nan
    audio[0, [60_000, 79_999]] = np.inf
    source = write_file(tmp_path / "noisy.wav", audio, RATE, "FLOAT")
    with pytest.raises(
        unmuffle.InvalidAudioError, match=r"noisy\.wav holds NaN .* 3\.125 s \(sample 50000, channel 1\)"
    ):
        unmuffle.Enhancer().enhance_file(source, tmp_path / "clear.wav")
    assert not (tmp_path / "clear.wav").exists()
    report = unmuffle.Enhancer(nonfinite="silence").enhance_file(source, tmp_path / "clear.wav")
    assert report.warnings == (f"{source} has 3 NaN or infinite samples: replaced by silence",)
    mended = np.where(np.isfinite(audio), audio, 0.0)
    np.testing.assert_allclose(read(tmp_path / "clear.wav")[0], unmuffle.enhance(mended, RATE), atol=1e-6)


def test_a_truncated_file_is_enhanced_as_far_as_it_goes_and_it_is_said(source, tmp_path):
    cut = tmp_path / "cut.wav"
    cut.write_bytes(source.read_bytes()[: 44 + 6 * 2 * RATE])
    report = unmuffle.Enhancer().enhance_file(cut, tmp_path / "clear.wav")
    assert 1.9 < report.seconds <= 2.0
    assert any("cut.wav ends" in warning for warning in report.warnings)
    assert read(tmp_path / "clear.wav")[0].shape[1] == round(report.seconds * RATE)


def test_a_rate_that_cannot_be_processed_is_told_with_the_files_name(tmp_path, write_file, names_in):
    source = write_file(tmp_path / "slow.wav", np.full((1, 6_000), 0.1), 6_000)
    with pytest.raises(unmuffle.AudioFileError, match=r"slow\.wav: sample_rate is 6000 Hz"):
        unmuffle.Enhancer().enhance_file(source, tmp_path / "clear.wav")
    assert names_in(tmp_path) == ["slow.wav"]


def test_paths_may_be_text_or_path_objects_and_folders_are_made(source, tmp_path):
    destination = tmp_path / "not" / "yet" / "clear.flac"
    report = unmuffle.Enhancer("wiener").enhance_file(str(source), str(destination))
    assert Path(report.destination) == destination
    assert soundfile.info(destination).subtype == "PCM_24"


def test_clipping_at_full_scale_is_said(tmp_path, noisy_speech, write_file):
    loud = 4.0 * noisy_speech(RATE, seconds=1.0)
    source = write_file(tmp_path / "loud.wav", loud, RATE, "FLOAT")
    beyond = np.count_nonzero(np.abs(read(source)[0]) > 1.0)
    assert beyond > 0
    report = unmuffle.Enhancer(strength=0.0).enhance_file(source, tmp_path / "clear.flac")
    assert f"{tmp_path / 'clear.flac'} has {beyond} samples that were clipped at full scale" in report.warnings
    report = unmuffle.Enhancer(strength=0.0).enhance_file(source, tmp_path / "clear.wav")
    assert report.warnings == ()


@pytest.mark.parametrize(
    "settings",
    [
        {"strength": "auto"},
        {"strength": 0.5, "keep": "music"},
        {"chain": "highpass,denoise:strength=0.5:keep=music,level"},
        {"chain": "denoise:strength=.5", "keep": "music"},
        {"preset": "meeting"},
    ],
)
def test_the_report_tells_the_strength_over_time(source, tmp_path, settings):
    report = unmuffle.Enhancer(**settings).enhance_file(source, tmp_path / "out.wav")
    found = report.strength_over_time
    whole = int(report.seconds / 0.016)
    assert len(found.times_s) == len(found.strengths) == whole
    expected = 0.5 if "0.5" in str(settings) or "=.5" in str(settings) else 1.0
    assert set(found.strengths) == {expected}
    assert found.mean == expected


def test_a_strength_that_is_a_number_is_not_told_over_time(source, tmp_path):
    report = unmuffle.Enhancer(strength=0.5).enhance_file(source, tmp_path / "out.wav")
    assert report.strength_over_time is None
