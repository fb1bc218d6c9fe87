"""``unmuffle enhance --preset podcast talk.mp4``: the picture and its sync stay, and the loudness is that asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy.signal import correlate, resample_poly

from unmuffle.signal.files import open_reader

av = pytest.importorskip("av")

RATE, FPS = 48_000, 25
NOISY = Path(__file__).parents[2] / "examples" / "noisy.flac"
STARTS_LATE_S = 0.2


@pytest.fixture(scope="module")
def videos(tmp_path_factory, run_command):
    """A soft stereo talk of 8 s whose sound begins 0.2 s after the picture, before and after."""
    folder = tmp_path_factory.mktemp("video")
    voice = soundfile.read(NOISY, dtype="float32")[0][: 8 * RATE]
    write_video(folder / "talk.mp4", 0.1 * np.stack([voice, 0.5 * voice]))
    done = run_command("enhance", "--preset", "podcast", folder / "talk.mp4", "-o", folder / "out.mp4")
    assert done.returncode == 0, done.stderr.decode()
    return folder / "talk.mp4", folder / "out.mp4"


def write_video(path: Path, audio: np.ndarray) -> None:
    with av.open(str(path), "w") as file:
        picture = file.add_stream("mpeg4", rate=FPS)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = file.add_stream("aac", rate=RATE, layout="stereo")
        sound.bit_rate = 192_000
        for number in range(round(FPS * audio.shape[1] / RATE)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number, np.uint8), "rgb24")
            file.mux(picture.encode(frame.reformat(format="yuv420p")))
        block = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio, np.float32), "fltp", "stereo")
        block.sample_rate, block.pts = RATE, round(STARTS_LATE_S * RATE)
        file.mux(sound.encode(block))
        for stream in (picture, sound):
            file.mux(stream.encode(None))


def decoded(path: Path) -> np.ndarray:
    with open_reader(path) as reader:
        return np.concatenate(list(reader.blocks()), axis=1).astype(np.float64)


def pictures(path: Path) -> list[tuple[int, bytes]]:
    with av.open(str(path)) as file:
        return [(packet.pts, bytes(packet)) for packet in file.demux(video=0) if packet.size]


def first_sound_s(path: Path) -> float:
    with av.open(str(path)) as file:
        frame = next(file.decode(audio=0))
        return float(frame.pts * frame.time_base)


def test_the_picture_is_the_same_to_the_bit(videos):
    before, after = map(pictures, videos)
    assert len(before) == 8 * FPS
    assert after == before


def test_the_sound_is_in_step(videos):
    before, after = map(decoded, videos)
    assert abs(after.shape[1] - before.shape[1]) <= 1024
    count = min(before.shape[1], after.shape[1])
    for channel in range(2):
        found = correlate(after[channel, :count], before[channel, :count], "full", "fft")
        assert abs(int(np.argmax(found)) - (count - 1)) <= RATE // 2000
    start, result = map(first_sound_s, videos)
    assert start == pytest.approx(STARTS_LATE_S, abs=0.03)
    assert result == pytest.approx(start, abs=0.001)


def test_loudness_and_true_peak_are_those_of_the_preset(videos):
    audio = decoded(videos[1])
    assert pyloudnorm.Meter(RATE).integrated_loudness(audio.T) == pytest.approx(-16.0, abs=0.3)
    # After the lossy codec, and with a finer grid than the one it was limited on.
    assert 20.0 * np.log10(np.abs(resample_poly(audio, 8, 1, axis=1)).max()) <= -1.0 + 0.1


def test_both_channels_got_the_same_gain(videos):
    left, right = decoded(videos[1])
    assert 20.0 * np.log10(np.std(left) / np.std(right)) == pytest.approx(6.02, abs=0.3)
