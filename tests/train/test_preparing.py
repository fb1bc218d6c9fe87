"""What becomes of recordings before they are trained on: looked at, without their pauses, told with their licence."""

import hashlib
import json

import numpy as np
import pytest
import soundfile
from small_training import make_corpus

from unmuffle.errors import AudioFileError, MissingExtraError
from unmuffle.train.data import decoding, packing
from unmuffle.train.data.air import air_absorption_db
from unmuffle.train.data.catalogue import Recording, find_recordings
from unmuffle.train.data.decoding import pack_recording
from unmuffle.train.data.fitness import Fitness, Limits, examine, floor_db, weight_of_floor, why_unfit
from unmuffle.train.data.packing import pack
from unmuffle.train.data.pauses import without_pauses
from unmuffle.train.data.rooms import simulate_room

RATE = 16_000


def words(floor_below_db, rate=RATE, seconds=6.0, pause_s=0.5):
    """Bursts of noise of half a second with pauses, over a floor so far below them."""
    random = np.random.default_rng(1)
    time_s = np.arange(round(seconds * rate)) / rate
    burst = (time_s % (0.5 + pause_s)) < 0.5
    sound = burst * random.standard_normal(time_s.size)
    sound = sound + 10 ** (-floor_below_db / 20) * random.standard_normal(time_s.size)
    return (0.1 * sound).astype(np.float32)


@pytest.mark.parametrize("floor_below_db", [10, 25, 50])
def test_the_floor_is_how_far_the_pauses_are_below_the_words(floor_below_db):
    assert floor_db(words(floor_below_db), RATE) == pytest.approx(floor_below_db, abs=1.5)


def test_cut_out_pauses_tell_nothing_of_the_floor():
    sound = words(30)
    assert floor_db(np.concatenate([sound, np.zeros(2 * sound.size, np.float32)]), RATE) == pytest.approx(30, abs=1.5)


def test_what_is_measured_is_what_was_done_to_the_recording():
    sound = words(40, 48_000)
    spectrum = np.fft.rfft(sound)
    spectrum[np.fft.rfftfreq(sound.size, 1 / 48_000) > 7_000] *= 1e-4
    narrow = np.fft.irfft(spectrum).astype(np.float32)
    assert examine(narrow, 48_000).bandwidth_hz == pytest.approx(7_000, rel=0.03)
    assert examine(sound, 48_000).bandwidth_hz == pytest.approx(24_000, rel=0.03)
    smooth = np.convolve(sound, np.hanning(64) / 32, "same").astype(np.float32)
    limit = float(np.quantile(np.abs(smooth), 0.99))
    assert examine(np.clip(smooth, -limit, limit), 48_000).clipped_share == pytest.approx(0.01, rel=0.5)
    assert examine(smooth, 48_000).clipped_share == 0


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        (Fitness(2_000, 50, 0), "its band ends at 2000 Hz, below 3000"),
        (Fitness(8_000, 10, 0), "its quiet parts are only 10 dB below the loud ones, not 15"),
        (Fitness(8_000, 50, 0.02), "2.00% of it is clipped, above 0.10%"),
        (Fitness(8_000, 50, 0, 2.5), "DNSMOS rates it 2.50, below 3.00"),
        (Fitness(8_000, 50, 0, 3.5), None),
    ],
)
def test_what_is_unfit_is_told(found, complaint):
    assert why_unfit(found, Limits(dnsmos=3.0)) == complaint


def test_weights_fall_with_the_noise_under_the_speech():
    assert [weight_of_floor(db) for db in (60, 45, 37.5, 30, 0)] == [1, 1, 0.5, 0.05, 0.05]


def test_long_pauses_are_cut_down_and_short_ones_stay():
    long, short = words(70, pause_s=2.0, seconds=10.0), words(70, pause_s=0.3)
    kept = without_pauses(long, RATE)
    # Three pauses of 2 s become 0.6 s each, and the one at the end 0.3 s.
    assert (long.size - kept.size) / RATE == pytest.approx(3 * 1.4 + 1.7, abs=0.1)
    loud = [np.mean(np.abs(sound) > 0.03) * sound.size for sound in (long, kept)]
    assert loud[1] == pytest.approx(loud[0], rel=0.01)
    assert np.array_equal(without_pauses(short, RATE), short)


def test_unfit_speech_is_left_out_by_name_and_only_where_asked(tmp_path, caplog):
    speech, noise = tmp_path / "speech", tmp_path / "noise"
    for talker, floor in (("ann", 40), ("ben", 35), ("hiss", 8)):
        (speech / talker).mkdir(parents=True)
        soundfile.write(speech / talker / f"{talker}.wav", words(floor), RATE)
    noise.mkdir()
    soundfile.write(noise / "fan.wav", words(3), RATE)
    folders = {"speech": [speech], "noise": [noise]}
    checked = pack(folders, tmp_path / "checked", simulated_rooms=0, limits=Limits())
    assert [row["group"] for row in checked["kinds"]["speech"]] == ["ann", "ben"]
    assert "hiss.wav: its quiet parts are only" in caplog.text
    ann, ben = checked["kinds"]["speech"]
    assert ann["measured"]["floor_db"] == pytest.approx(40, abs=1.5)
    assert 0.2 < ben["weight"] < ann["weight"] < 0.8
    taken = pack(folders, tmp_path / "taken", simulated_rooms=0)
    assert len(taken["kinds"]["speech"]) == 3
    assert {row["weight"] for row in taken["kinds"]["speech"]} == {1.0}


def test_a_narrow_recording_at_a_high_rate_is_not_full_band(tmp_path):
    wide = words(40, 48_000)
    spectrum = np.fft.rfft(wide)
    spectrum[np.fft.rfftfreq(wide.size, 1 / 48_000) > 7_900] = 0
    for name, sound in (("wide", wide), ("narrow", np.fft.irfft(spectrum))):
        soundfile.write(tmp_path / f"{name}.wav", sound, 48_000)
    narrow, full = (
        pack_recording(Recording(tmp_path / f"{name}.wav", name, "", 0), Limits())[0] for name in ("narrow", "wide")
    )
    assert set(narrow.samples) == {16_000}
    assert set(full.samples) == {16_000, 48_000}


def test_a_rating_that_cannot_be_made_is_an_error_and_not_a_warning(tmp_path, monkeypatch):
    speech, noise = make_corpus(tmp_path, talkers=2)

    def missing(*_, **__):
        raise MissingExtraError("DNSMOS needs the package speechmos", name="speechmos")

    monkeypatch.setattr(decoding, "examine", missing)
    with pytest.raises(MissingExtraError, match="speechmos"):
        pack({"speech": [speech], "noise": [noise]}, tmp_path / "packed", simulated_rooms=0, limits=Limits(dnsmos=3.0))


def test_long_recordings_are_packed_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "PART_S", 1.0)
    soundfile.write(tmp_path / "long.wav", words(40, seconds=30.0), RATE)
    parts = pack_recording(Recording(tmp_path / "long.wav", "long", "", 0))
    assert len(parts) > 3
    assert sum(part.samples[RATE].size for part in parts) == 30 * RATE


def test_licences_are_kept_and_change_nothing_else(tmp_path):
    speech, noise = make_corpus(tmp_path, talkers=2)
    hashes = []
    for licence in ("CC0", "CC BY 4.0"):
        rows = [f"talker{n}/a.wav,t{n},{licence}" for n in range(2)]
        (speech / "index.csv").write_text("\n".join(["file,talker,licence", *rows]))
        table = pack({"speech": [speech], "noise": [noise]}, tmp_path / "packed", simulated_rooms=0)
        assert {row["licence"] for row in table["kinds"]["speech"]} == {licence}
        hashes.append(table["hash"])
    assert hashes[0] == hashes[1]
    assert find_recordings(speech)[0].licence == "CC BY 4.0"


def test_the_hash_of_corpora_packed_before_licences_is_what_it_was():
    row = {"file": "a.wav", "group": "a", "source": "s", "weight": 1.0, "places": {"16000": [0, 9]}, "split": "train"}
    kinds = {"speech": [row | {"licence": "CC0", "measured": {"floor_db": 40.0}}]}
    was = hashlib.blake2b(json.dumps({"speech": [row]}, sort_keys=True).encode(), digest_size=8).hexdigest()
    assert packing._hash_of(kinds, air=False) == was
    assert packing._hash_of(kinds, air=True) != packing._hash_of(kinds, air=False)


def test_room_responses_that_cannot_be_used_are_left_out(tmp_path, caplog):
    speech, noise = make_corpus(tmp_path, talkers=2)
    rooms = tmp_path / "rooms"
    rooms.mkdir()
    hall = np.exp(-np.arange(8_000) / 800) * np.random.default_rng(1).standard_normal(8_000)
    soundfile.write(rooms / "hall.wav", hall / np.abs(hall).max(), RATE)
    soundfile.write(rooms / "nothing.wav", np.zeros(8_000), RATE)
    (rooms / "torn.flac").write_bytes(b"fLaC?")
    table = pack({"speech": [speech], "noise": [noise]}, tmp_path / "packed", [rooms], simulated_rooms=1)
    assert [row["file"] for row in table["kinds"]["room"]] == ["simulated-0", "hall.wav"]
    assert "nothing.wav" in caplog.text
    assert "torn.flac" in caplog.text


def test_the_packed_table_can_be_read_by_people(tmp_path):
    speech, noise = make_corpus(tmp_path, talkers=2)
    pack({"speech": [speech], "noise": [noise]}, tmp_path / "packed", simulated_rooms=0, limits=None)
    row = json.loads((tmp_path / "packed" / "corpus.json").read_text())["kinds"]["speech"][0]
    assert row.keys() == {"file", "group", "source", "licence", "weight", "measured", "places", "split"}


def test_a_part_that_is_silent_is_told(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(RATE), RATE)
    with pytest.raises(AudioFileError, match=r"silent\.wav: it is too short, silent or not finite"):
        pack_recording(Recording(tmp_path / "silent.wav", "silent", "", 0))


# Air


def test_air_absorbs_what_the_standard_tabulates():
    # ISO 9613-1, table 1: 20 degrees, 50 %, dB a kilometre.
    wanted = {125: 0.445, 250: 1.32, 500: 2.73, 1_000: 4.66, 2_000: 9.86, 4_000: 29.4, 8_000: 104}
    np.testing.assert_allclose(1_000 * air_absorption_db(list(wanted)), list(wanted.values()), rtol=0.03)


def test_air_takes_high_frequencies_out_of_late_reflections_and_nothing_of_the_draws():
    ratios_db = []
    for seed in range(8):
        dry, air = (simulate_room(np.random.default_rng(seed), 48_000, air=on) for on in (False, True))
        assert dry.size == air.size
        assert np.abs(air).max() == air[np.argmax(np.abs(air))] == 1
        late = slice(int(0.025 * 48_000), int(0.04 * 48_000))
        frequencies = np.fft.rfftfreq(late.stop - late.start, 1 / 48_000)
        power = [np.abs(np.fft.rfft(room[late])) ** 2 for room in (dry, air)]
        low, high = (
            10 * np.log10(power[1][band].sum() / power[0][band].sum())
            for band in ((frequencies > 100) & (frequencies < 500), (frequencies > 14_000) & (frequencies < 18_000))
        )
        ratios_db.append(high - low)
    # 25 to 40 ms are 8.6 to 13.7 m more than the direct path: 3 to 5 dB at 16 kHz, and voices are directional up there.
    assert -9 < np.median(ratios_db) < -2.5
