"""A run gives the measures' own values, the same in any number of processes, and outlives whatever fails in it."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from evaluation_clips import RATE, hiss, voice, write, write_pairs, write_sources

import unmuffle
from unmuffle.errors import AudioFileError, InvalidParameterError, MissingExtraError
from unmuffle.measure import UNPROCESSED, pesq_wideband, si_sdr_db
from unmuffle.measure.damage.scores import DAMAGE_MEASURES, score_damage
from unmuffle.measure.evaluation.clips import ClipPair
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.measure.evaluation.evaluate import evaluate
from unmuffle.measure.evaluation.mix_plan import MixPlan
from unmuffle.measure.evaluation.pairs import find_pairs
from unmuffle.measure.evaluation.selection import DEFAULT_MEASURES

QUICK = ["si_sdr_db", "artefact_score", "real_time_factor", "latency_ms"]


def halve(audio, _):
    return 0.5 * audio


def late_by_5_ms(audio, rate):
    return np.pad(audio, ((0, 0), (rate // 200, 0)))


def refuse_b(audio, rate):
    if np.allclose(audio[0, : rate // 20], find_b(rate // 20), atol=1e-4):
        raise ValueError("no,\nnot this one")
    return audio


def find_b(samples):
    return (voice(2.5, seed=1) + hiss(round(2.5 * RATE), 1))[:samples]


def end_the_process(audio, _):
    os._exit(7)


HALVE = ClipEnhancer("halve", halve)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pairs(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def run(folder):
    return evaluate(folder, ["log_mmse", HALVE])


def test_every_clip_has_its_rows(folder, run):
    assert run.clips == ["a", "b", "c"]
    assert run.enhancers == [UNPROCESSED, "log_mmse", "halve"]
    assert len(run) == 9
    for row in run:
        assert (row.sample_rate, row.seconds) == (RATE, 2.5)
        assert row.files == {
            "noisy": str(folder / "noisy" / f"{row.clip}.flac"),
            "clean": str(folder / "clean" / f"{row.clip}.wav"),
        }


def test_values_are_those_of_the_measures(folder, run):
    for pair in find_pairs(folder):
        audio = pair.read()
        before, after = run.get(pair.name, UNPROCESSED), run.get(pair.name, "log_mmse")
        enhanced = unmuffle.enhance(audio.noisy, RATE, method="log_mmse")
        for row, estimate in ((before, audio.noisy), (after, enhanced)):
            assert row.values["si_sdr_db"] == si_sdr_db(audio.clean, estimate, RATE)
            assert row.values["pesq_wideband"] == pesq_wideband(audio.clean, estimate, RATE)
        for found in score_damage(audio.noisy, enhanced, RATE, audio.clean):
            assert after.values.get(found.measure.key) == found.value
            assert after.failures.get(found.measure.key) == found.why_not
        assert run.gain(after, "si_sdr_db") == after.values["si_sdr_db"] - before.values["si_sdr_db"]
        assert not {measure.key for measure in DAMAGE_MEASURES} & before.values.keys()


def test_cost_is_told(run):
    for row in run.of("log_mmse"):
        assert 0.0 < row.values["real_time_factor"] < 1.0
        assert row.values["latency_ms"] == unmuffle.open_stream(RATE, method="log_mmse").latency_ms
    for row in run.of("halve"):
        assert row.values["real_time_factor"] >= 0.0
        assert "latency_ms" not in row.values


def test_the_real_time_factor_is_cpu_time_and_leaves_the_first_call_out(folder):
    calls = []

    def work(audio, rate):
        calls.append(audio.shape[1])
        end = time.process_time() + (0.5 if len(calls) == 1 else 0.05)
        while time.process_time() < end:
            pass
        time.sleep(0.05)
        return audio

    found = evaluate(folder, [ClipEnhancer("work", work)], measures=["real_time_factor"])
    assert calls == [RATE, *[round(2.5 * RATE)] * 3]
    for row in found.of("work"):
        assert row.values["real_time_factor"] == pytest.approx(0.05 / 2.5, rel=0.3)


def test_the_time_of_a_command_is_counted(folder):
    spin = "import shutil, sys, time\nwhile time.process_time() < 0.25: pass\nshutil.copy(sys.argv[1], sys.argv[2])"
    path = folder / "spin.py"
    path.write_text(spin)
    found = evaluate(
        folder, [f"spin=command:'{sys.executable}' '{path}' {{in}} {{out}}"], measures=["real_time_factor"]
    )
    for row in found.of("spin"):
        assert row.values["real_time_factor"] == pytest.approx(0.3 / 2.5, rel=0.4)


def test_transparency_is_tried_on_a_few_clean_references(folder):
    keys = ["transparency_si_sdr_db", "transparency_pesq"]
    found = evaluate(folder, [HALVE], measures=keys, transparency_clips=2)
    tried = [row for row in found.of("halve") if "transparency_si_sdr_db" in row.values]
    assert [row.clip for row in tried] == ["a", "b"]
    assert all(row.values["transparency_si_sdr_db"] == 100.0 for row in tried)
    assert all(row.values["transparency_pesq"] > 4.6 for row in tried)
    assert not any(row.values for row in found.of(UNPROCESSED))


def test_a_delay_is_taken_out_and_told(folder):
    found = evaluate(folder, [ClipEnhancer("late", late_by_5_ms)], measures=["si_sdr_db"])
    for row in found.of("late"):
        assert row.values["delay_ms"] == pytest.approx(5.0, abs=0.02)
        assert abs(found.gain(row, "si_sdr_db")) < 0.1


def test_a_reference_that_is_out_of_step_is_moved(tmp_path):
    clean = voice(2.5)
    write(tmp_path / "clean" / "a.wav", clean)
    write(tmp_path / "noisy" / "a.wav", np.roll(clean, 320) + hiss(clean.size, 0))
    found = evaluate(tmp_path, [HALVE], measures=["si_sdr_db", "artefact_score"])
    assert found.get("a", UNPROCESSED).values["delay_ms"] == pytest.approx(20.0, abs=0.02)
    assert found.get("a", UNPROCESSED).values["si_sdr_db"] > 5.0
    assert "delay_ms" not in found.get("a", "halve").values


def test_workers_give_what_one_process_gives(folder):
    keys = [key for key in DEFAULT_MEASURES if key != "real_time_factor"]
    told = []
    alone = evaluate(folder, ["log_mmse", HALVE], measures=keys)
    together = evaluate(
        folder, ["log_mmse", HALVE], measures=keys, jobs=2, progress=lambda *counts: told.append(counts)
    )
    for one, other in zip(together, alone, strict=True):
        # Libraries add up in another order on several threads.
        assert one.values == pytest.approx(other.values, rel=1e-5, abs=1e-6)
        assert replace(one, values={}) == replace(other, values={})
    assert told == [(done, 9) for done in range(10)]


def test_about_tells_data_measures_and_machine(folder, run):
    assert run.about["data"] == str(folder)
    assert run.about["clips"] == "3"
    assert "pesq 0.0.4" in run.about["measured by"]
    assert f"log_mmse (unmuffle {unmuffle.__version__})" in run.about["enhancers"]
    assert run.about["machine"]
    assert run.about["date"].endswith("UTC")


def test_clips_mixed_for_the_run_are_measured_and_kept(tmp_path):
    sources = write_sources(tmp_path / "sources")
    plan = MixPlan(sources / "speech", sources / "noise", count=2, seconds=1.0, snrs_db=(0.0, 10.0))
    found = evaluate(plan, [HALVE], measures=QUICK, save_to=tmp_path / "audio")
    for row in found.of("halve"):
        assert row.conditions["snr_db"] == {"m00000": 0.0, "m00001": 10.0}[row.clip]
        assert row.conditions["noise"] in ("hiss", "wind")
        noisy, enhanced = (soundfile.read(row.files[role])[0] for role in ("noisy", "enhanced"))
        np.testing.assert_allclose(enhanced, 0.5 * noisy, atol=1.0 / 32_768)
        assert soundfile.info(row.files["clean"]).frames == RATE
    assert not list((tmp_path / "audio").rglob(".*"))


# What fails


@pytest.mark.parametrize("jobs", [0, 2])
def test_what_fails_becomes_a_row_and_the_run_goes_on(folder, tmp_path, jobs):
    pairs = find_pairs(folder)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    silent = write(tmp_path / "silent.wav", np.zeros(2 * RATE))
    short = write(tmp_path / "short.wav", hiss(RATE // 10, 5))
    clips = [
        ClipPair("broken", tmp_path / "broken.wav", conditions={"noise": "x"}),
        ClipPair("silent", write(tmp_path / "noise.wav", hiss(2 * RATE, 6)), silent),
        ClipPair("short", short, short),
        ClipPair("lengths", silent, short),
        *pairs,
    ]
    keys = ["si_sdr_db", "pesq_wideband"]
    found = evaluate(clips, [HALVE, ClipEnhancer("picky", refuse_b)], measures=keys, jobs=jobs)
    assert len(found) == 3 * len(clips)
    for name in found.enhancers:
        assert "broken.wav" in found.get("broken", name).failures["clip"]
        assert found.get("broken", name).conditions == {"noise": "x"}
        assert "must be as long" in found.get("lengths", name).failures["clip"]
        assert "reference is silent" in found.get("silent", name).failures["si_sdr_db"]
        assert "PESQ needs at least 0.25 s" in found.get("short", name).failures["pesq_wideband"]
        assert "si_sdr_db" in found.get("short", name).values
    assert found.get("b", "picky").failures == {"clip": "ValueError: no, not this one"}
    assert found.get("b", "picky").failed
    assert found.get("b", "halve").values.keys() == {"si_sdr_db", "pesq_wideband"}
    assert found.get("c", "picky").values.keys() == {"si_sdr_db", "pesq_wideband"}


def test_a_process_that_ends_takes_only_its_row_with_it(folder):
    bad = ClipEnhancer("bad", end_the_process)
    found = evaluate(folder, [HALVE, bad, "log_mmse"], measures=["si_sdr_db"], jobs=2)
    assert len(found) == 12
    assert all("exit code 7" in row.failures["clip"] for row in found.of("bad"))
    assert all("si_sdr_db" in row.values for name in (UNPROCESSED, "halve", "log_mmse") for row in found.of(name))


def test_without_a_reference_damage_is_measured_and_the_rest_told(folder):
    alone = [replace(pair, clean=None) for pair in find_pairs(folder)]
    found = evaluate(alone, [HALVE])
    for row in found.of("halve"):
        assert {"artefact_score", "clipping_share", "real_time_factor"} <= row.values.keys()
        assert "si_sdr_db" not in row.failures
    with pytest.raises(InvalidParameterError, match="si_sdr_db compares with a clean reference, and no clip has one"):
        evaluate(alone, [HALVE], measures=["si_sdr_db"])
    mixed = evaluate([*find_pairs(folder)[:1], *alone[1:]], [HALVE], measures=["si_sdr_db"])
    assert mixed.get("b", "halve").failures == {"si_sdr_db": "there is no clean reference"}


def test_refusals(folder, monkeypatch):
    with pytest.raises(InvalidParameterError, match=r"no measure 'pesq' \(did you mean pesq_wideband or "):
        evaluate(folder, [], measures=["pesq"])
    with pytest.raises(AudioFileError, match="no clip"):
        evaluate([], ["auto"])
    with pytest.raises(InvalidParameterError, match="come more than once"):
        evaluate([*find_pairs(folder), *find_pairs(folder)], ["auto"])
    with pytest.raises(InvalidParameterError, match="jobs is -1"):
        evaluate(folder, [], jobs=-1)
    from unmuffle.measure.scores import Measure

    monkeypatch.setattr(Measure, "implementation", property(lambda self: f"{self.package} (not installed)"))
    with pytest.raises(
        MissingExtraError, match=r'pesq_wideband needs the package pesq: pip install "unmuffle\[metrics\]'
    ):
        evaluate(folder, [], measures=["pesq_wideband"])


# Resuming


class StoppedError(Exception):
    pass


def counting(calls):
    def work(audio, _):
        calls.append(audio.shape[1])
        return 0.5 * audio

    return ClipEnhancer("work", work, version="1", warms_up=False)


def test_a_run_that_was_interrupted_goes_on(folder, tmp_path):
    def stop_at_5(done: int, _: int) -> None:
        if done == 5:
            raise StoppedError

    calls: list[int] = []
    journal = tmp_path / "deep" / "journal.jsonl"
    with pytest.raises(StoppedError):
        evaluate(folder, [counting(calls)], measures=QUICK, journal=journal, progress=stop_at_5)
    assert len(calls) == 2 or len(calls) == 3
    with journal.open("a") as file:
        file.write('{"key": "cut sho')
    told: list[tuple[int, int]] = []
    before = len(calls)
    resumed = evaluate(
        folder, [counting(calls)], measures=QUICK, journal=journal, progress=lambda *counts: told.append(counts)
    )
    assert told[0] == (5, 6)
    assert len(calls) - before <= 1
    whole = evaluate(folder, [counting(calls)], measures=QUICK)
    assert [without_speed(row) for row in resumed] == [without_speed(row) for row in whole]
    calls.clear()
    again = evaluate(folder, [counting(calls)], measures=QUICK, journal=journal)
    assert not calls
    assert [*again] == [*resumed]


def without_speed(row):
    return replace(row, values={key: value for key, value in row.values.items() if key != "real_time_factor"})


def test_what_changed_is_measured_anew(tmp_path):
    folder, journal = write_pairs(tmp_path / "set", 2), tmp_path / "journal.jsonl"
    calls: list[int] = []
    evaluate(folder, [counting(calls)], measures=QUICK, journal=journal)
    assert len(calls) == 2
    clean = voice(2.5, seed=9)
    write(folder / "clean" / "a.wav", clean)
    write(folder / "noisy" / "a.flac", clean + hiss(clean.size, 9))
    evaluate(folder, [counting(calls)], measures=QUICK, journal=journal)
    assert len(calls) == 3
    evaluate(folder, [replace(counting(calls), version="2")], measures=QUICK, journal=journal)
    assert len(calls) == 5
    evaluate(folder, [counting(calls)], measures=[*QUICK, "stoi"], journal=journal)
    assert len(calls) == 7


def test_what_failed_is_tried_again(tmp_path):
    folder, journal = write_pairs(tmp_path / "set", 1), tmp_path / "journal.jsonl"
    failing = ClipEnhancer("work", end_with_error)
    first = evaluate(folder, [failing], measures=["si_sdr_db"], journal=journal)
    assert first.get("a", "work").failed
    again = evaluate(folder, [ClipEnhancer("work", halve)], measures=["si_sdr_db"], journal=journal)
    assert not again.get("a", "work").failed


def end_with_error(audio, _):
    raise RuntimeError("no")


def test_a_journal_must_be_one(folder, tmp_path):
    (tmp_path / "notes.txt").write_text(json.dumps({"mine": 1}) + "\n")
    with pytest.raises(AudioFileError, match=r"notes\.txt is no journal"):
        evaluate(folder, [], journal=tmp_path / "notes.txt")
    assert json.loads((tmp_path / "notes.txt").read_text()) == {"mine": 1}
