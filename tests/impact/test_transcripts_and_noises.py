"""Lists of transcribed clips, and noises by type: what is read, what is drawn, what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.impact.noises import NoiseType, draw_noise, find_noises
from unmuffle.measure.impact.transcripts import read_transcripts

RATE = 16_000


def test_csv_and_nemo_lists_are_read_alike(tmp_path):
    (tmp_path / "a.csv").write_text('file,seconds,talker,text\nx/one.wav,1.5,ann,"Hello, you"\ntwo.wav,2,bob,42\n')
    rows = [
        {"audio_filepath": "x/one.wav", "duration": 1.5, "speaker": "ann", "text": "Hello, you"},
        {"audio_filepath": "two.wav", "duration": 2, "speaker": "bob", "text": "42"},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    one, two = read_transcripts(tmp_path / "a.csv"), read_transcripts(tmp_path / "a.jsonl")
    assert one == two
    assert [(item.name, item.talker, item.text) for item in one] == [("one", "ann", "Hello, you"), ("two", "bob", "42")]
    assert one[0].clean == tmp_path / "x" / "one.wav"
    assert one[0].noisy is None


def test_clips_that_are_noisy_already_keep_what_is_known_of_them(tmp_path):
    (tmp_path / "a.csv").write_text("id,noisy,text,noise,snr_db\nk1,n.wav,hello,rain,-5\n")
    (found,) = read_transcripts(tmp_path / "a.csv")
    assert (found.name, found.clean, found.noisy) == ("k1", None, tmp_path / "n.wav")
    assert (found.noise, found.snr_db) == ("rain", -5.0)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("file,text\n", "is empty"),
        ("name,text\na.wav,hello\n", "entry 1 has no recording"),
        ("file,words\na.wav,hello\n", "has no text"),
        ("file,text\na.wav,hello\nx/a.wav,you\n", "two recordings are called 'a'"),
        ("file,text,snr_db\na.wav,hello,loud\n", "snr_db 'loud'"),
    ],
)
def test_lists_that_are_of_no_use_are_named(tmp_path, content, named):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(InvalidParameterError) as error:
        read_transcripts(tmp_path / "a.csv")
    assert named in str(error.value)
    assert "a.csv" in str(error.value)


def test_a_list_that_is_not_there_is_named(tmp_path):
    with pytest.raises(AudioFileError, match="nowhere"):
        read_transcripts(tmp_path / "nowhere.csv")


def write(path, seconds=1.0, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).standard_normal(round(RATE * seconds)), RATE)
    return path


def test_types_of_noise_are_files_folders_and_folders_in_folders(tmp_path):
    fan = write(tmp_path / "fan.wav")
    rain = [write(tmp_path / "rain" / name) for name in ("a.wav", "b.flac")]
    street = write(tmp_path / "all" / "street" / "deep" / "c.wav")
    (tmp_path / "all" / "empty").mkdir()
    (tmp_path / "all" / "index.csv").write_text("file\n")
    found = find_noises([fan, tmp_path / "rain", tmp_path / "all"])
    assert found == [NoiseType("fan", (fan,)), NoiseType("rain", tuple(rain)), NoiseType("street", (street,))]


def test_places_without_noise_are_named(tmp_path):
    with pytest.raises(AudioFileError, match="does not exist"):
        find_noises(tmp_path / "nowhere")
    with pytest.raises(AudioFileError, match="is empty"):
        find_noises(tmp_path)
    write(tmp_path / "a" / "fan.wav")
    with pytest.raises(InvalidParameterError, match="'a'"):
        find_noises([tmp_path / "a", tmp_path / "a"])


def test_a_stretch_hangs_on_clip_type_and_seed_alone(tmp_path):
    noise = NoiseType("rain", tuple(write(tmp_path / f"{i}.wav", 3.0, i) for i in range(5)))
    one = draw_noise(noise, "clip", RATE, RATE, 0)
    np.testing.assert_array_equal(one, draw_noise(noise, "clip", RATE, RATE, 0))
    others = [draw_noise(noise, "other", RATE, RATE, 0), draw_noise(noise, "clip", RATE, RATE, 1)]
    assert not any(np.array_equal(one, other) for other in others)
    assert one.shape == (RATE,)


def test_short_noise_goes_round_and_what_is_too_short_is_named(tmp_path):
    short = NoiseType("short", (write(tmp_path / "s.wav", 0.5),))
    found = draw_noise(short, "clip", 3 * RATE, RATE, 0)
    assert found.shape == (3 * RATE,)
    # No gap anywhere: as strong in each tenth of a second.
    assert np.abs(found.reshape(30, -1).std(axis=1) / 0.1 - 1.0).max() < 0.2
    with pytest.raises(AudioFileError, match="shorter than"):
        draw_noise(NoiseType("tiny", (write(tmp_path / "t.wav", 0.02),)), "clip", RATE, RATE, 0)
