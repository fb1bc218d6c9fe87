"""Clips are found in folders and manifests, with what is known of them; what does not fit together is named."""

from __future__ import annotations

import json

import numpy as np
import pytest
from evaluation_clips import RATE, hiss, voice, write, write_pairs

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.evaluation.clips import ClipPair
from unmuffle.measure.evaluation.pairs import find_pairs


def test_folders_are_matched_by_name_whatever_the_format(tmp_path):
    folder = write_pairs(tmp_path / "set")
    write(folder / "clean" / "deep" / "d.wav", voice(1.0))
    write(folder / "noisy" / "deep" / "d.wav", voice(1.0))
    found = find_pairs(folder)
    assert [pair.name for pair in found] == ["a", "b", "c", "deep/d"]
    for pair in found:
        assert pair.noisy.relative_to(folder / "noisy").with_suffix("") == pair.clean.relative_to(
            folder / "clean"
        ).with_suffix("")


def test_conditions_come_from_pairs_csv(tmp_path):
    folder = write_pairs(tmp_path / "set", 2)
    (folder / "pairs.csv").write_text(
        "id,rate,snr_db,noise,talker,rt60_s\na,16000,-5.0,rain,0042,\nb,16000,2,fan,f,0.5\n"
    )
    first, second = find_pairs(folder)
    assert first.conditions == {"snr_db": -5.0, "noise": "rain", "talker": "0042"}
    assert second.conditions == {"snr_db": 2.0, "noise": "fan", "talker": "f", "rt60_s": 0.5}


def test_recordings_without_any_reference(tmp_path):
    write(tmp_path / "one.wav", voice(1.0))
    (tmp_path / "notes.txt").write_text("not audio")
    (found,) = find_pairs(tmp_path)
    assert (found.name, found.has_reference) == ("one", False)
    assert found.read().clean is None


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_manifest(tmp_path, kind):
    write_pairs(tmp_path, 2)
    rows = [
        {"noisy": "noisy/a.flac", "clean": "clean/a.wav", "snr_db": 5.0},
        {"noisy": "noisy/b.flac", "clean": "", "snr_db": 0.0, "id": "007"},
    ]
    lines = ["noisy,clean,snr_db,id", "noisy/a.flac,clean/a.wav,5,", "noisy/b.flac,,0,007"]
    text = "\n".join(map(json.dumps, rows) if kind == "jsonl" else lines)
    (tmp_path / f"clips.{kind}").write_text(text + "\n\n" if kind == "jsonl" else text)
    first, second = find_pairs(tmp_path / f"clips.{kind}")
    assert (first.name, first.clean, dict(first.conditions)) == ("a", tmp_path / "clean" / "a.wav", {"snr_db": 5.0})
    assert (second.name, second.clean, dict(second.conditions)) == ("007", None, {"snr_db": 0.0})
    assert second.read().sample_rate == RATE


def test_a_pair_is_read_as_it_is_stored(tmp_path):
    write_pairs(tmp_path, 1)
    audio = find_pairs(tmp_path)[0].read()
    np.testing.assert_allclose(audio.clean[0], voice(2.5), atol=1.0 / 32_000)
    assert audio.clean.shape == audio.noisy.shape == (1, round(2.5 * RATE))
    assert audio.noisy.dtype == np.float32
    assert audio.files.keys() == {"noisy", "clean"}


def test_a_fingerprint_changes_with_the_file(tmp_path):
    write_pairs(tmp_path, 2)
    first, second = find_pairs(tmp_path)
    assert first.fingerprint() == find_pairs(tmp_path)[0].fingerprint() != second.fingerprint()
    before = first.fingerprint()
    write(first.noisy, hiss(9_000, 8))
    assert first.fingerprint() != before


@pytest.mark.parametrize(
    ("clean", "clean_rate", "told"),
    [
        (voice(1.0, 8_000), 8_000, "8000 Hz"),
        (np.stack((voice(1.0), voice(1.0))), RATE, r"2 channel\(s\)"),
        (voice(2.0), RATE, "2.000 s long"),
    ],
)
def test_a_reference_that_does_not_fit_is_named(tmp_path, clean, clean_rate, told):
    pair = ClipPair("x", write(tmp_path / "noisy.wav", voice(1.0)), write(tmp_path / "clean.wav", clean, clean_rate))
    with pytest.raises(AudioFileError, match=told) as error:
        pair.read()
    assert "clean.wav" in str(error.value)
    assert "noisy.wav" in str(error.value)


def test_what_a_codec_leaves_at_the_end_is_cut(tmp_path):
    long = np.concatenate((voice(1.0), np.zeros(500, np.float32)))
    pair = ClipPair("x", write(tmp_path / "noisy.wav", voice(1.0)), write(tmp_path / "clean.wav", long))
    audio = pair.read()
    assert audio.clean.shape == audio.noisy.shape == (1, RATE)


def test_folders_of_no_use_are_named(tmp_path):
    with pytest.raises(AudioFileError, match="nowhere does not exist"):
        find_pairs(tmp_path / "nowhere")
    with pytest.raises(AudioFileError, match="is empty"):
        find_pairs(tmp_path)
    write(tmp_path / "clean" / "a.wav", voice(1.0))
    with pytest.raises(AudioFileError, match="no folder 'noisy'"):
        find_pairs(tmp_path)
    write(tmp_path / "noisy" / "b.wav", voice(1.0))
    with pytest.raises(AudioFileError, match=r"1 of 1 clips have no reference.*b\.wav"):
        find_pairs(tmp_path)
    write(tmp_path / "clean" / "b.wav", voice(1.0))
    write(tmp_path / "noisy" / "b.flac", voice(1.0))
    with pytest.raises(InvalidParameterError, match="the same name"):
        find_pairs(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("m.csv", "noisy,id\nx.wav,1\ny.wav,1\n", "come more than once, the first '1'"),
        ("m.csv", "clean\nx.wav\n", "entry 1 has no path under 'noisy'"),
        ("m.csv", "noisy,clean\nx.wav,y.wav,z.wav\n", "line 2 has not as many cells"),
        ("m.csv", "noisy,clean\n", "names no clip"),
        ("m.jsonl", '{"noisy": "x.wav"}\n{"noisy"\n', "line 2 is not JSON"),
        ("m.jsonl", "[1]\n", "line 1 is not an object"),
        ("m.txt", "x.wav\n", "is no manifest"),
    ],
)
def test_manifests_of_no_use_are_named(tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    with pytest.raises((AudioFileError, InvalidParameterError), match=told):
        find_pairs(tmp_path / name)


def test_a_line_of_pairs_csv_without_clip_is_named(tmp_path):
    folder = write_pairs(tmp_path, 1)
    (folder / "pairs.csv").write_text("id,snr_db\na,1\nz,2\n")
    with pytest.raises(AudioFileError, match="entry 2 is of 'z'"):
        find_pairs(folder)
