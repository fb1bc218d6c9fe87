import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from small_training import make_corpus, talk

from unmuffle.errors import AudioFileError
from unmuffle.level.active_level import active_level_db
from unmuffle.train.data.catalogue import TRAIN, VALIDATION, find_recordings, split_of
from unmuffle.train.data.filters import early_part
from unmuffle.train.data.mixing import Mixer
from unmuffle.train.data.packing import pack
from unmuffle.train.data.settings import MixSettings
from unmuffle.train.data.shards import load_table, open_shard

RATE = 16_000
PLAIN = MixSettings(
    clean_share=0, noise_share=0, room_share=0, noise_room_share=0, easy_share=0, hard_share=0, speech_colour_share=0,
    microphone_share=0, band_limit_share=0, clip_share=0, sixteen_bit_share=0, resampled_share=0,
)  # fmt: skip
CLEAN_ONLY = replace(PLAIN, clean_share=1.0)


def test_an_item_is_a_function_of_the_seed(packed):
    mixers = [Mixer(packed, RATE, MixSettings(), 0.5) for _ in range(2)]
    first, again = (mixer.batch((5, 0, 7), range(4)) for mixer in mixers)
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(first[0], mixers[0].batch((5, 0, 8), range(4))[0])


def test_two_processes_together_make_the_same_batch(packed):
    mixer = Mixer(packed, RATE, MixSettings(), 0.5)
    whole = mixer.batch((5, 0, 7), range(4))[0]
    halves = [mixer.batch((5, 0, 7), share)[0] for share in (range(2), range(2, 4))]
    assert np.array_equal(whole, np.concatenate(halves))


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 15.0])
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_the_ratio_is_the_one_asked_for_by_active_level(packed, snr_db, rate):
    mixer = Mixer(packed, rate, replace(PLAIN, snr_db=(snr_db, snr_db)), 1.0)
    for noisy, target in zip(*mixer.batch((1,), range(5)), strict=True):
        noise_db = 20 * np.log10(np.sqrt(np.mean((noisy - target) ** 2)))
        assert active_level_db(target, rate) - noise_db == pytest.approx(snr_db, abs=0.1)


def test_level_is_within_its_range(packed):
    mixer = Mixer(packed, RATE, replace(PLAIN, level_db=(-40, -30)), 0.5)
    noisy, _ = mixer.batch((1,), range(8))
    levels_db = 20 * np.log10(np.sqrt(np.mean(noisy**2, axis=1)))
    assert levels_db.min() >= -40.01
    assert levels_db.max() <= -29.99
    assert np.abs(noisy).max() < 1


def test_clean_items_are_their_own_target_and_noise_items_want_silence(packed):
    noisy, target = Mixer(packed, RATE, CLEAN_ONLY, 0.5).batch((1,), range(3))
    assert np.array_equal(noisy, target)
    assert np.abs(noisy).max() > 0.001
    noisy, target = Mixer(packed, RATE, replace(PLAIN, noise_share=1.0), 0.5).batch((1,), range(3))
    assert not target.any()
    assert (np.abs(noisy).max(axis=1) > 0.001).all()


def test_reverberation_is_kept_early_and_not_late(packed):
    mixer = Mixer(packed, RATE, replace(CLEAN_ONLY, room_share=1.0), 1.0)
    noisy, target = mixer.batch((1,), range(6))
    assert not np.array_equal(noisy, target)
    response = np.ones(RATE, np.float32)
    early = early_part(response, RATE)
    assert early[: round(0.05 * RATE)].min() == 1
    assert early[round(0.08 * RATE) :].max() == 0


def test_sixteen_bit_items_lie_on_the_steps_of_sixteen_bits(packed):
    noisy, _ = Mixer(packed, RATE, replace(PLAIN, sixteen_bit_share=1.0), 0.5).batch((1,), range(2))
    np.testing.assert_array_equal(noisy * 32_768, np.rint(noisy * 32_768))


def test_everything_at_once_is_finite(packed):
    everything = MixSettings(
        room_share=1, noise_room_share=1, babble_share=0.5, synthetic_share=0.3, second_noise_share=0.9,
        speed_share=1, speech_colour_share=1, noise_colour_share=1, microphone_share=1, band_limit_share=1,
        clip_share=1, sixteen_bit_share=1,
    )  # fmt: skip
    for rate in (16_000, 48_000):
        noisy, target = Mixer(packed, rate, everything, 0.5).batch((2,), range(10))
        assert noisy.dtype == target.dtype == np.float32
        assert np.isfinite(noisy).all()
        assert np.isfinite(target).all()


def test_broken_files_are_left_out_with_a_warning(tmp_path, caplog):
    speech, noise = make_corpus(tmp_path)
    (speech / "talker0" / "broken.wav").write_bytes(b"RIFF0000WAVEnothing")
    soundfile.write(speech / "talker1" / "silent.wav", np.zeros(16_000), RATE)
    table = pack({"speech": [speech], "noise": [noise]}, tmp_path / "packed", simulated_rooms=0)
    assert len(table["kinds"]["speech"]) == 6
    assert "broken.wav" in caplog.text
    assert "silent.wav" in caplog.text


def test_an_empty_noise_folder_is_named(tmp_path):
    speech, _ = make_corpus(tmp_path)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(AudioFileError, match="nothing holds no audio"):
        pack({"speech": [speech], "noise": [tmp_path / "nothing"]}, tmp_path / "packed")


def test_a_folder_of_broken_files_only_is_an_error(tmp_path):
    speech, _ = make_corpus(tmp_path)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "noise.flac").write_bytes(b"no audio")
    with pytest.raises(AudioFileError, match="none of the 1 recordings of noise"):
        pack({"speech": [speech], "noise": [tmp_path / "bad"]}, tmp_path / "packed")


def test_one_talker_is_too_few(tmp_path):
    speech, noise = make_corpus(tmp_path, talkers=1)
    pack({"speech": [speech], "noise": [noise]}, tmp_path / "packed", simulated_rooms=0, validation_share=0)
    with pytest.raises(AudioFileError, match="one talker only"):
        Mixer(tmp_path / "packed", RATE, PLAIN, 0.5)


def test_full_band_training_needs_full_band_recordings(tmp_path):
    speech, noise = make_corpus(tmp_path, rate=22_050)
    pack({"speech": [speech], "noise": [noise]}, tmp_path / "packed", simulated_rooms=0, validation_share=0)
    with pytest.raises(AudioFileError, match="no speech at 48000 Hz for train"):
        Mixer(tmp_path / "packed", 48_000, PLAIN, 0.5)
    assert Mixer(tmp_path / "packed", RATE, PLAIN, 0.5).batch((1,), range(1))[0].any()


def test_recordings_shorter_than_a_clip_go_round(tmp_path):
    speech, noise = make_corpus(tmp_path)
    pack({"speech": [speech], "noise": [noise]}, tmp_path / "packed", simulated_rooms=0, validation_share=0)
    noisy, target = Mixer(tmp_path / "packed", RATE, PLAIN, 9.0).batch((1,), range(2))
    assert noisy.shape == target.shape == (2, 144_000)
    assert np.abs(target[:, -RATE:]).max() > 0.001


def test_a_folder_that_is_not_packed_is_named(tmp_path):
    with pytest.raises(AudioFileError, match="unmuffle train prepare"):
        Mixer(tmp_path, RATE, PLAIN, 0.5)


def test_packed_samples_are_those_of_the_files(tmp_path):
    speech, noise = make_corpus(tmp_path, talkers=2)
    pack({"speech": [speech], "noise": [noise]}, tmp_path / "packed", simulated_rooms=0, validation_share=0)
    shard = open_shard(tmp_path / "packed", load_table(tmp_path / "packed"), "speech", RATE, TRAIN)
    wanted = talk(1, 4.0, RATE)
    cut = shard.cut(1, 1_000, 500)
    np.testing.assert_allclose(cut, 0.9 * wanted[1_000:1_500] / np.abs(wanted).max(), atol=1e-3)


def test_an_index_is_obeyed(tmp_path):
    speech, _ = make_corpus(tmp_path)
    rows = ["file,talker,rate,floor_db,split", "talker0/a.wav,ann,16000,45,", "talker1/a.wav,bob,44100,30,train",
            "talker2/a.wav,cid,16000,,eval"]  # fmt: skip
    (speech / "index.csv").write_text("\n".join(rows))
    found = find_recordings(speech)
    assert [(item.group, item.rate) for item in found] == [("ann", 16_000), ("bob", 44_100)]
    assert found[0].weight == 1
    assert found[1].weight < 0.1


def test_splits_do_not_share_talkers_and_stay_as_they_are(tmp_path):
    speech, noise = make_corpus(tmp_path, talkers=12)
    soundfile.write(speech / "talker0" / "b.wav", talk(9, 1.0, RATE), RATE)
    table = pack({"speech": [speech], "noise": [noise]}, tmp_path / "packed", simulated_rooms=0, validation_share=0.4)
    splits = {}
    for row in table["kinds"]["speech"]:
        splits.setdefault(row["group"], set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values())
    assert set.union(*splits.values()) == {TRAIN, VALIDATION}
    assert split_of("talker0", 0.4) == next(iter(splits["talker0"]))
    assert 0.35 < np.mean([split_of(f"name{n}", 0.4) == VALIDATION for n in range(2_000)]) < 0.45


def test_a_table_of_another_format_is_refused(packed, tmp_path):
    (tmp_path / "corpus.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(AudioFileError, match="format 99"):
        load_table(tmp_path)
