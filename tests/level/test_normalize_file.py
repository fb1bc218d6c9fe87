"""Files land where they were to, whatever they are, and nothing else of them changes."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy.signal import resample_poly

import unmuffle
from peak_memory import PEAK_MB
from unmuffle.enhancer.normalizing import normalize_file
from unmuffle.errors import AudioFileError, InvalidParameterError, OutputExistsError
from unmuffle.level import weights_of_layout
from unmuffle.signal.files import open_reader

RATE = 48_000


@pytest.fixture(scope="module")
def talk(noisy_speech):
    """Speech-like sound, soft, with some dynamics."""
    audio = 0.3 * noisy_speech(RATE, seconds=5.0)
    audio[:, : 2 * RATE] *= 0.5
    return audio


def decoded(path):
    with open_reader(path) as reader:
        return np.concatenate(list(reader.blocks()), axis=1).astype(np.float64), reader.info


def measured(path):
    audio, info = decoded(path)
    peak = np.abs(resample_poly(audio, 8, 1, axis=1)).max()
    return pyloudnorm.Meter(info.sample_rate).integrated_loudness(audio.T), 20.0 * np.log10(peak)


@pytest.mark.parametrize("name", ["out.wav", "out.flac", "out.m4a", "out.mp3", "out.opus", "out.ogg"])
@pytest.mark.parametrize("loudness", ["podcast", -20])
def test_every_format_lands_at_the_target_and_under_the_ceiling(tmp_path, talk, write_file, name, loudness):
    source = write_file(tmp_path / "talk.wav", talk, RATE, "PCM_16")
    report = normalize_file(source, tmp_path / name, loudness=loudness)
    lufs, dbtp = measured(tmp_path / name)
    assert lufs == pytest.approx(-16.0 if loudness == "podcast" else -20.0, abs=0.3)
    assert dbtp <= -1.0 + 0.1
    assert report.warnings == ()
    assert report.normalization.after.lufs == pytest.approx(lufs, abs=0.1)
    assert report.normalization.before.lufs == pytest.approx(measured(source)[0], abs=0.1)


def test_nothing_but_level_changes(tmp_path, talk, write_file):
    source = write_file(tmp_path / "talk.wav", talk, RATE, "PCM_24")
    report = normalize_file(source, tmp_path / "out.wav", loudness=-30)
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (RATE, 1, "PCM_24", talk.shape[1])
    louder = soundfile.read(source)[0] * 10.0 ** (report.normalization.gain_db / 20.0)
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.wav")[0], louder, atol=2.0**-22)


def test_what_is_enhanced_lands_there_too(tmp_path, talk, write_file):
    source = write_file(tmp_path / "talk.wav", talk, RATE, "PCM_16")
    enhancer = unmuffle.Enhancer("wiener", loudness="podcast", true_peak=-2)
    report = enhancer.enhance_file(source, tmp_path / "out.wav", save_removed=tmp_path / "removed.wav")
    lufs, dbtp = measured(tmp_path / "out.wav")
    assert lufs == pytest.approx(-16.0, abs=0.3)
    assert dbtp <= -2.0 + 0.1
    assert report.normalization.ceiling_dbtp == -2.0
    # What was removed stays at the source's level.
    plain = unmuffle.Enhancer("wiener").enhance(soundfile.read(source)[0], RATE)
    removed = soundfile.read(source)[0] - plain
    np.testing.assert_allclose(soundfile.read(tmp_path / "removed.wav")[0], removed, atol=2.0**-14)


def test_an_array_lands_where_its_file_does(tmp_path, talk, write_file):
    source = write_file(tmp_path / "talk.wav", talk, RATE, "FLOAT")
    enhancer = unmuffle.Enhancer("wiener", loudness=-18)
    enhancer.enhance_file(source, tmp_path / "out.wav")
    array = enhancer.enhance(soundfile.read(source)[0], RATE)
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.wav")[0], array, atol=1e-5)


def test_integers_are_rounded_once(talk):
    soft = np.round(0.01 * talk / np.abs(talk).max() * 32768).astype(np.int16)
    out = unmuffle.Enhancer("wiener", loudness=-20).enhance(soft, RATE)
    assert out.dtype == np.int16
    # Had the soft result been rounded to 16 bits first, only some hundred values would be left.
    assert np.unique(out).size > 3 * np.unique(soft).size


def test_a_video_keeps_its_picture_and_length(tmp_path, talk, write_file):
    av = pytest.importorskip("av")
    source = tmp_path / "talk.mp4"
    with av.open(str(source), "w") as file:
        picture = file.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = file.add_stream("aac", rate=RATE, layout="mono")
        for number in range(125):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number, np.uint8), "rgb24")
            file.mux(picture.encode(frame.reformat(format="yuv420p")))
        block = av.AudioFrame.from_ndarray(talk.astype(np.float32), "fltp", "mono")
        block.sample_rate = RATE
        file.mux(sound.encode(block))
        for stream in (picture, sound):
            file.mux(stream.encode(None))
    normalize_file(source, tmp_path / "out.mp4")

    def picture_bytes(path):
        with av.open(str(path)) as file:
            return [(packet.pts, bytes(packet)) for packet in file.demux(video=0) if packet.size]

    assert picture_bytes(tmp_path / "out.mp4") == picture_bytes(source)
    (before, _), (after, _) = decoded(source), decoded(tmp_path / "out.mp4")
    assert abs(before.shape[1] - after.shape[1]) <= 1024
    lag = np.argmax(np.correlate(after[0, :96_000], before[0, 24_000:72_000], "valid")) - 24_000
    assert lag == 0
    lufs, dbtp = measured(tmp_path / "out.mp4")
    assert lufs == pytest.approx(-16.0, abs=0.3)
    assert dbtp <= -0.9


@pytest.mark.parametrize(("seconds", "scale", "match"), [(2.0, 0.0, "is silent"), (0.1, 1.0, "is 0.1 s long")])
def test_what_has_no_loudness_is_written_as_it_is_and_said(tmp_path, talk, write_file, seconds, scale, match):
    audio = scale * talk[:, RATE : RATE + round(seconds * RATE)]
    source = write_file(tmp_path / "talk.wav", audio, RATE, "PCM_16")
    report = normalize_file(source, tmp_path / "out.wav")
    assert len(report.warnings) == 1
    assert match in report.warnings[0]
    np.testing.assert_array_equal(soundfile.read(source)[0], soundfile.read(tmp_path / "out.wav")[0])


def test_a_target_out_of_reach_is_a_warning_with_its_distance(tmp_path, talk, write_file):
    source = write_file(tmp_path / "talk.wav", talk, RATE, "PCM_16")
    report = normalize_file(source, tmp_path / "out.wav", loudness=-6, true_peak=-9)
    lufs, dbtp = measured(tmp_path / "out.wav")
    assert f"{-6 - lufs:.0f}" in report.warnings[0].split(" LUFS, ")[1]
    assert "-6 LUFS cannot be reached with true peaks of at most -9 dBTP" in report.warnings[0]
    assert dbtp <= -8.9


def test_seven_point_one_is_weighed_by_its_layout(tmp_path, talk):
    audio = np.concatenate([talk * share for share in np.linspace(0.2, 0.6, 8)])
    write_masked_wav(tmp_path / "talk.wav", audio, 0x63F)
    report = normalize_file(tmp_path / "talk.wav", tmp_path / "out.wav", loudness=-20)
    audio, info = decoded(tmp_path / "out.wav")
    assert info.layout == "7.1"
    weights = np.array(weights_of_layout("7.1", 8))
    meter = pyloudnorm.Meter(RATE)
    alone = [10.0 ** (meter.integrated_loudness(channel[:, None]) / 10.0) for channel in audio]
    # The channels are alike, so they pass the gates together and their loudness adds up by weight.
    assert 10.0 * np.log10(weights @ alone) == pytest.approx(-20.0, abs=0.3)
    assert report.warnings == ()


def write_masked_wav(path, audio, mask):
    """Write float32 WAVE_FORMAT_EXTENSIBLE with a speaker mask, which soundfile cannot."""
    data = np.ascontiguousarray(audio.T, "<f4").tobytes()
    channels = len(audio)
    header = np.array([0xFFFE, channels], "<u2").tobytes()
    header += (
        np.array([RATE, RATE * channels * 4], "<u4").tobytes() + np.array([channels * 4, 32, 22, 32], "<u2").tobytes()
    )
    header += np.array([mask], "<u4").tobytes() + bytes.fromhex("0300000000001000800000aa00389b71")
    body = b"WAVEfmt " + np.array([len(header)], "<u4").tobytes() + header
    body += b"data" + np.array([len(data)], "<u4").tobytes() + data
    path.write_bytes(b"RIFF" + np.array([len(body)], "<u4").tobytes() + body)


def test_progress_never_goes_back_and_reaches_the_end(tmp_path, talk, write_file):
    source = write_file(tmp_path / "talk.wav", talk, RATE)
    calls = []
    normalize_file(source, tmp_path / "out.wav", progress=lambda seconds, total: calls.append((seconds, total)))
    done = [seconds for seconds, _ in calls]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(5.0)
    assert {total for _, total in calls} == {5.0}


def test_failures_leave_nothing_behind(tmp_path, talk, write_file):
    bad = talk.copy()
    bad[0, 4 * RATE] = np.nan
    source = write_file(tmp_path / "talk.wav", bad, RATE, "FLOAT")
    with pytest.raises(unmuffle.InvalidAudioError, match=r"at 4\.000 s"):
        normalize_file(source, tmp_path / "out.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["talk.wav"]
    with pytest.raises(AudioFileError, match="itself"):
        normalize_file(source, source, overwrite=True)
    (tmp_path / "out.wav").touch()
    with pytest.raises(OutputExistsError):
        normalize_file(source, tmp_path / "out.wav")


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"loudness": "loud"}, "podcast, broadcast"),
        ({"loudness": -3}, "-60 to -5"),
        ({"loudness": -16, "true_peak": 3}, "true_peak"),
        ({"true_peak": -1}, "give a loudness as well"),
        ({"loudness": -16, "residual": True}, "give one"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, match):
    with pytest.raises(InvalidParameterError, match=match):
        unmuffle.Enhancer(**settings)


def test_a_live_stream_has_no_loudness_to_be_set():
    with pytest.raises(InvalidParameterError, match="live stream"):
        unmuffle.Enhancer(loudness=-16).open_stream(RATE)


MEASURE = f"""
import sys
from unmuffle.enhancer.normalizing import normalize_file
{PEAK_MB}
normalize_file(sys.argv[1], sys.argv[2], loudness=-12)
print(peak_mb())
"""


def test_memory_does_not_grow_with_the_length_of_what_is_normalized(tmp_path):
    pytest.importorskip("resource", reason="peak memory is asked of the operating system by the resource module")

    def peak_memory_mb(seconds):
        source = tmp_path / f"{seconds}.wav"
        second = (0.05 * np.random.default_rng(0).standard_normal((RATE, 2))).astype(np.float32)
        with soundfile.SoundFile(source, "w", RATE, 2, "PCM_16") as file:
            for _ in range(seconds):
                file.write(second)
        command = [sys.executable, "-c", MEASURE, source, tmp_path / f"{seconds}.out.wav"]
        return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    # As float32 the longer one takes 77 MB more.
    assert peak_memory_mb(220) - peak_memory_mb(20) < 30
