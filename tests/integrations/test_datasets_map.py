"""Datasets of Hugging Face are enhanced by ``map``: each example as it would be alone, the other columns untouched."""

from __future__ import annotations

import io
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import pytest
import soundfile

import unmuffle
from unmuffle.errors import AudioFileError, InvalidAudioError, InvalidParameterError
from unmuffle.integrations.datasets_map import BatchEnhancer, enhance_batch

datasets = pytest.importorskip("datasets")

RATES = (8_000, 16_000, 44_100)
WIENER = unmuffle.Enhancer("wiener")


@pytest.fixture(autouse=True)
def quiet():
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.fixture
def recordings(noisy_speech):
    """One of each rate, float32; the last has two channels."""
    return [
        noisy_speech(rate, seconds=0.6, channels=1 + (rate == RATES[-1]), seed=rate).astype(np.float32)
        for rate in RATES
    ]


@pytest.fixture
def of_arrays(recordings):
    cells = [{"array": audio[0], "sampling_rate": rate} for audio, rate in zip(recordings, RATES, strict=True)]
    return datasets.Dataset.from_dict({"audio": cells, "text": ["a", "b", None], "id": [1, 2, 3]})


@pytest.fixture
def paths(recordings, tmp_path, write_file):
    names = ("a.wav", "b.flac", "c.wav")
    subtypes = ("PCM_16", "PCM_24", "FLOAT")
    return [
        str(write_file(tmp_path / name, audio, rate, subtype))
        for name, audio, rate, subtype in zip(names, recordings, RATES, subtypes, strict=True)
    ]


@pytest.fixture
def of_files(paths):
    table = datasets.Dataset.from_dict({"audio": paths, "text": ["a", "b", "c"]})
    return table.cast_column("audio", datasets.Audio(decode=False))


@pytest.mark.parametrize("batched", [True, False])
def test_arrays_are_enhanced_as_each_would_be_alone(of_arrays, recordings, batched):
    done = of_arrays.map(BatchEnhancer(method="wiener"), batched=batched, batch_size=2)
    assert done.features["text"] == of_arrays.features["text"]
    assert (done["text"][:], done["id"][:]) == (["a", "b", None], [1, 2, 3])
    for cell, audio, rate in zip(done.with_format("numpy")["audio"], recordings, RATES, strict=True):
        assert int(cell["sampling_rate"]) == rate
        np.testing.assert_allclose(cell["array"], WIENER.enhance(audio[0], rate), atol=1e-6)


def test_a_function_does_as_well(of_arrays):
    by_function = of_arrays.map(enhance_batch, batched=True, fn_kwargs={"method": "wiener", "strength": 0.5})
    by_object = of_arrays.map(BatchEnhancer(method="wiener", strength=0.5), batched=True)
    assert by_function.to_dict() == by_object.to_dict()
    assert by_function.to_dict() != of_arrays.to_dict()


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_files_are_enhanced_without_a_decoder_of_datasets(of_files, paths, tmp_path, suffix):
    done = of_files.map(BatchEnhancer(suffix=suffix, method="wiener"), batched=True)
    assert done.features["audio"] == datasets.Audio(decode=False)
    assert done["text"][:] == ["a", "b", "c"]
    for cell, source in zip(done["audio"], paths, strict=True):
        assert cell["path"].endswith(f".{suffix}")
        expected = tmp_path / f"expected.{suffix}"
        WIENER.enhance_file(source, expected, overwrite=True)
        samples, rate = soundfile.read(io.BytesIO(cell["bytes"]), always_2d=True)
        wanted, wanted_rate = soundfile.read(expected, always_2d=True)
        assert (rate, samples.shape) == (wanted_rate, wanted.shape)
        np.testing.assert_array_equal(samples, wanted)
        assert soundfile.info(io.BytesIO(cell["bytes"])).subtype == soundfile.info(expected).subtype


def test_files_within_the_table_are_enhanced_too(of_files, paths):
    cells = [{"path": "x.wav", "bytes": Path(path).read_bytes()} for path in paths]
    inside = datasets.Dataset.from_dict({"audio": cells}).cast_column("audio", datasets.Audio(decode=False))
    done = inside.map(BatchEnhancer(method="wiener"), batched=True)
    plain = of_files.map(BatchEnhancer(method="wiener"), batched=True)
    assert [cell["bytes"] for cell in done["audio"]] == [cell["bytes"] for cell in plain["audio"]]
    assert {cell["path"] for cell in done["audio"]} == {"x.wav"}


def test_columns_may_have_another_name_and_hold_plain_paths(paths):
    table = datasets.Dataset.from_dict({"recording": paths})
    done = table.map(BatchEnhancer("recording", method="wiener"), batched=True, remove_columns="recording")
    assert [cell["path"] for cell in done["recording"]] == ["a.wav", "b.wav", "c.wav"]


def test_cells_without_audio_stay_so(recordings):
    cells = [None, {"array": recordings[0][0], "sampling_rate": RATES[0]}]
    done = datasets.Dataset.from_dict({"audio": cells}).map(BatchEnhancer(method="wiener"), batched=True)
    assert done[0]["audio"] is None
    assert len(done[1]["audio"]["array"]) == recordings[0].shape[1]


def test_channels_are_kept(recordings):
    cells = [{"array": recordings[2], "sampling_rate": RATES[2]}]
    done = datasets.Dataset.from_dict({"audio": cells}).map(BatchEnhancer(method="wiener"), batched=True)
    expected = WIENER.enhance(recordings[2], RATES[2])
    np.testing.assert_allclose(done.with_format("numpy")[0]["audio"]["array"], expected, atol=1e-6)


def test_several_processes_do_the_same(of_arrays):
    one = of_arrays.map(BatchEnhancer(method="wiener"), batched=True, batch_size=1)
    two = of_arrays.map(BatchEnhancer(method="wiener"), batched=True, batch_size=1, num_proc=2)
    assert two.to_dict() == one.to_dict()


def fingerprint(work, **more):
    return datasets.fingerprint.Hasher.hash((work, more))


def test_datasets_knows_it_by_all_that_it_does(monkeypatch, tmp_path):
    base = fingerprint(BatchEnhancer(preset="meeting"))
    assert fingerprint(BatchEnhancer(preset="meeting")) == base
    mine = tmp_path / "mine.toml"
    mine.write_text('[[stage]]\nname = "highpass"\ncutoff_hz = 80\n')
    by_file = fingerprint(BatchEnhancer(preset=str(mine)))
    mine.write_text('[[stage]]\nname = "highpass"\ncutoff_hz = 90\n')
    others = [
        fingerprint(BatchEnhancer(preset="podcast")),
        fingerprint(BatchEnhancer("other", preset="meeting")),
        fingerprint(BatchEnhancer(suffix="flac", preset="meeting")),
        fingerprint(BatchEnhancer(preset="meeting", strength=0.5)),
        fingerprint(BatchEnhancer(preset=str(mine))),
        by_file,
    ]
    monkeypatch.setattr("unmuffle.integrations.datasets_map.__version__", "9.9")
    others.append(fingerprint(BatchEnhancer(preset="meeting")))
    assert len({base, *others}) == 1 + len(others)


def test_a_second_map_of_the_same_is_taken_from_the_cache_of_datasets(of_arrays, tmp_path):
    of_arrays.save_to_disk(tmp_path / "saved")
    saved = datasets.load_from_disk(tmp_path / "saved")
    first = saved.map(BatchEnhancer(method="wiener"), batched=True)
    again = datasets.load_from_disk(tmp_path / "saved").map(BatchEnhancer(method="wiener"), batched=True)
    assert first.cache_files == again.cache_files
    assert first.cache_files != saved.cache_files


def test_what_is_wrong_is_told_with_the_example(tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF of nothing")
    work = BatchEnhancer(method="wiener")
    with pytest.raises(InvalidParameterError, match="there is no column 'audio'; there are text, sound"):
        work({"text": ["a"], "sound": []})
    with pytest.raises(AudioFileError, match=r"broken\.wav"):
        work({"audio": [str(broken)]})
    with pytest.raises(AudioFileError, match=r"inside\.wav: the given bytes"):
        work({"audio": [{"path": "inside.wav", "bytes": b"RIFF of nothing"}]})
    with pytest.raises(InvalidAudioError, match="has the entries text"):
        work({"audio": [{"text": "no audio"}]})
    with pytest.raises(InvalidParameterError, match="strength"):
        BatchEnhancer(strength=3.0)
