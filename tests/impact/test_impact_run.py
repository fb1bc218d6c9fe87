"""A whole run on signals of which the errors are known: verdicts, repeatability, resuming, failures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import impact_signals as known
import numpy as np
import pytest
import soundfile

from unmuffle.enhancer import Enhancer
from unmuffle.errors import InvalidParameterError
from unmuffle.measure.impact.analyzer import ImpactAnalyzer
from unmuffle.measure.impact.recognizers.python_callable import CallableRecognizer
from unmuffle.measure.impact.trials import mixed
from unmuffle.measure.results import UNPROCESSED

pytest.importorskip("jiwer", reason="the extra impact is not installed")

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


@pytest.fixture
def data(tmp_path: Path) -> tuple[Path, Path]:
    return known.write_clips(tmp_path)


def analyzer(noises: Path | None, *enhancers, listen=known.listen, **options) -> ImpactAnalyzer:
    options = {"snrs_db": (0.0, 20.0), "strengths": STRENGTHS} | options
    return ImpactAnalyzer(CallableRecognizer(listen), enhancers or (known.CLEARER,), noises, **options)


def test_errors_are_those_of_the_ratio_that_was_asked_for(data):
    report = analyzer(data[1], snrs_db=(-2.0, 0.0, 3.0, 10.0, 20.0)).run(data[0])
    for snr_db in (-2.0, 0.0, 3.0, 10.0, 20.0):
        found = report.get("noise", snr_db, "clearer")
        # A tone is active all the time: its active level is its RMS, to a few hundredths of a dB.
        wrong = round(10.0 * 10.0 ** (-snr_db / 10.0) * 1.0)
        assert abs(found.noisy.errors.total - known.CLIPS * wrong) <= (known.CLIPS if wrong else 0)
        assert found.enhanced.errors.total == 0
        assert found.clean_wer.value == 0.0
        assert found.noisy.errors.words == known.CLIPS * 20


def test_verdicts_are_as_they_must_be(data):
    report = analyzer(data[1], known.CLEARER, known.DAMAGING, known.BREAKING, known.IDLE).run(data[0])
    verdicts = {name: report.get("noise", 0.0, name).verdict.text for name in report.enhancers}
    assert verdicts == {
        "clearer": "enhance",
        "damaging": "enhance with strength 0.5",
        "breaking": "leave alone",
        "idle": "leave alone",
    }
    # At 20 dB nothing is misunderstood, so nothing is to be gained.
    assert {report.get("noise", 20.0, name).verdict.advice for name in report.enhancers} == {"leave alone"}


def test_the_sweep_follows_the_known_sum_of_noise_and_damage(data):
    found = analyzer(data[1], known.DAMAGING).run(data[0]).get("noise", 0.0, "damaging")
    for step in found.sweep:
        expected = 10.0 * (step.strength**2 + (1.0 - step.strength) ** 2)
        assert step.errors.total / known.CLIPS == pytest.approx(expected, abs=0.51)


def test_likeness_of_the_talker_is_the_known_cosine(data):
    report = analyzer(data[1], embedder=known.portrait).run(data[0])
    for snr_db in (0.0, 20.0):
        found = report.get("noise", snr_db, "clearer")
        expected = 1.0 / math.sqrt(1.0 + 10.0 ** (-snr_db / 10.0))
        assert found.noisy.similarity.value == pytest.approx(expected, abs=0.02)
        assert found.enhanced.similarity.value == pytest.approx(1.0, abs=1e-4)


def test_one_process_and_two_find_the_same_twice(data):
    one = analyzer(data[1], known.DAMAGING, snrs_db=(0.0,)).run(data[0])
    two = analyzer(data[1], known.DAMAGING, snrs_db=(0.0,), jobs=2).run(data[0])
    assert one.to_dict() == two.to_dict()


def test_another_seed_draws_other_noise_of_the_same_ratio(data):
    heard: list[bytes] = []

    def listen(audio, rate):
        heard.append(audio.tobytes())
        return known.listen(audio, rate)

    rng = np.random.default_rng(0)
    soundfile.write(data[1] / "whistle.wav", 0.1 * rng.standard_normal(5 * known.RATE), known.RATE)
    for seed in (1, 1, 2):
        analyzer(data[1], listen=listen, snrs_db=(5.0,), strengths=(1.0,), seed=seed).run(data[0], limit=2)
    first, again, other = heard[:6], heard[6:12], heard[12:]
    assert first == again
    assert sum(one != two for one, two in zip(first, other, strict=True)) == 4


def test_a_run_goes_on_where_it_was(data, tmp_path):
    calls: list[int] = []

    def listen(audio, rate):
        calls.append(1)
        if len(calls) == 40:
            raise KeyboardInterrupt
        return known.listen(audio, rate)

    journal = tmp_path / "run.jsonl"
    with pytest.raises(KeyboardInterrupt):
        analyzer(data[1], listen=listen).run(data[0], journal=journal)
    made = sum("clip" in json.loads(line) for line in journal.read_text().splitlines())
    assert 12 < made < 40
    # What an interruption may leave behind.
    journal.write_text(journal.read_text() + '{"clip": "c0')
    whole = analyzer(data[1]).run(data[0])
    calls.clear()
    calls += [1] * 40
    resumed = analyzer(data[1], listen=listen).run(data[0], journal=journal)
    total = known.CLIPS * (1 + 2 * len(STRENGTHS))
    assert len(calls) - 40 == total - made
    assert resumed.conditions == whole.conditions


def test_strengths_and_enhancers_can_be_added_to_a_journal(data, tmp_path):
    journal = tmp_path / "run.jsonl"
    analyzer(data[1], strengths=(1.0,)).run(data[0], journal=journal)
    before = len(journal.read_text().splitlines())
    added = analyzer(data[1], known.CLEARER, known.IDLE, strengths=(0.5, 1.0)).run(data[0], journal=journal)
    # Of 24 clips in conditions: one strength of the one, two of the other, and a line of settings.
    assert len(journal.read_text().splitlines()) == before + 24 * 3 + 1
    assert (
        added.conditions == analyzer(data[1], known.CLEARER, known.IDLE, strengths=(0.5, 1.0)).run(data[0]).conditions
    )


@pytest.mark.parametrize(("options", "named"), [({"seed": 3}, "seed"), ({"sample_rate": 8000}, "sample_rate")])
def test_a_journal_of_another_run_is_refused(data, tmp_path, options, named):
    journal = tmp_path / "run.jsonl"
    analyzer(data[1]).run(data[0], journal=journal, limit=1)
    with pytest.raises(InvalidParameterError, match=named):
        analyzer(data[1], **options).run(data[0], journal=journal, limit=1)
    (tmp_path / "other.txt").write_text("hello\n")
    with pytest.raises(InvalidParameterError, match="no journal"):
        analyzer(data[1]).run(data[0], journal=tmp_path / "other.txt")


def test_clips_and_enhancers_that_fail_are_named_and_the_rest_goes_on(data):
    (data[0].parent / "c03.wav").write_bytes(b"no audio at all")
    soundfile.write(data[0].parent / "c04.wav", np.zeros(8_000), known.RATE)
    report = analyzer(data[1], known.CLEARER, known.BROKEN).run(data[0])
    assert report.get("noise", 0.0, "clearer").clips == known.CLIPS - 2
    assert report.get("noise", 0.0, "broken") is None
    named = "\n".join(report.failures)
    for word in ("c03", "c04", "silent", "after broken: RuntimeError: out of order"):
        assert word in named


def test_a_recogniser_that_fails_now_and_then_is_tried_again_on_resuming(data, tmp_path):
    def listen(audio, rate):
        if known.words_wrong(audio) > 5:
            raise ValueError("too loud for me")
        return known.listen(audio, rate)

    journal = tmp_path / "run.jsonl"
    first = analyzer(data[1], listen=listen, snrs_db=(0.0,)).run(data[0], journal=journal)
    assert first.conditions == ()
    assert all("too loud for me" in failure for failure in first.failures)
    again = analyzer(data[1], snrs_db=(0.0,)).run(data[0], journal=journal)
    assert not again.failures
    assert again.get("noise", 0.0, "clearer").clips == known.CLIPS


def test_a_worker_that_dies_takes_its_clip_only(data):
    report = analyzer(data[1], listen=_die_of_the_fourth, jobs=2, snrs_db=(0.0,)).run(data[0], limit=4)
    assert report.get("noise", 0.0, "clearer").clips == 3
    assert any("exit code" in failure for failure in report.failures)


def _die_of_the_fourth(audio, rate):
    import os

    amplitude = 2.0 * math.sqrt(known.power_at(audio, known.VOICE_HZ))
    # The fourth clip, where it is noisy.
    if known.words_wrong(audio) and abs(amplitude - 0.23) < 0.004:
        os._exit(3)
    return known.listen(audio, rate)


def test_clips_that_are_noisy_already_are_judged_as_they_are(data, tmp_path):
    lines = ["file,noisy,text,snr_db,noise"]
    for number in range(known.CLIPS):
        clean = known.tone(known.VOICE_HZ, 0.2)
        soundfile.write(
            tmp_path / f"n{number}.wav", clean + known.tone(known.NOISE_HZ, 0.2, number), known.RATE, "FLOAT"
        )
        lines.append(f"speech/c{number:02d}.wav,n{number}.wav,{known.TEXT},0,whistle")
    (tmp_path / "noisy.csv").write_text("\n".join(lines))
    found = analyzer(None).run(tmp_path / "noisy.csv").get("whistle", 0.0, "clearer")
    assert (found.clips, found.noisy.errors.total, found.enhanced.errors.total) == (known.CLIPS, 10 * known.CLIPS, 0)
    assert found.clean_wer.value == 0.0
    assert found.verdict.advice == "enhance"


def test_a_list_without_noise_is_taken_for_noisy(data):
    (found,) = analyzer(None).run(data[0]).conditions
    assert (found.condition, found.clean_wer, found.noisy.errors.total) == ("as recorded", None, 0)


def test_clips_not_understood_when_clean_are_left_out(data):
    text = data[0].read_text().replace(f"c05.wav,{known.TEXT}", "c05.wav,something else entirely")
    data[0].write_text(text)
    report = analyzer(data[1], max_clean_wer=0.5).run(data[0])
    assert report.left_out == ("c05",)
    assert report.get("noise", 0.0, "clearer").clips == known.CLIPS - 1
    with pytest.raises(InvalidParameterError, match="of no clip"):
        analyzer(data[1], listen=lambda *_: "nothing", max_clean_wer=0.5).run(data[0])


def test_a_clip_that_cannot_be_read_has_failed_and_is_not_left_out(data):
    (data[0].parent / "c03.wav").write_bytes(b"no audio at all")
    report = analyzer(data[1], max_clean_wer=0.5).run(data[0])
    assert report.left_out == ()
    assert any("c03" in failure for failure in report.failures)


def test_what_cannot_be_asked_of_noisy_clips_is_refused(data):
    with pytest.raises(InvalidParameterError, match="no clip has a clean recording"):
        analyzer(None, max_clean_wer=0.5).run(data[0])


@pytest.mark.parametrize("name", ["clean", "all"])
def test_names_that_mean_something_else_are_refused(data, name):
    with pytest.raises(InvalidParameterError, match=f"called '{name}'"):
        analyzer({name: [data[1] / "whistle.wav"]})
    data[0].write_text(f"noisy,text,noise\nc00.wav,yes,{name}\n")
    with pytest.raises(InvalidParameterError, match=f"called '{name}'"):
        analyzer(None).run(data[0])


def test_conditions_are_pooled_by_clip(data, tmp_path):
    other = tmp_path / "more" / "hum"
    other.mkdir(parents=True)
    soundfile.write(other / "hum.wav", np.concatenate([known.tone(known.NOISE_HZ, 0.1)] * 4), known.RATE, "FLOAT")
    report = analyzer([data[1], tmp_path / "more"]).run(data[0])
    assert report.noises == ["noise", "hum", "all"]
    total = report.get("all", None, "clearer")
    single = [report.get(noise, snr_db, "clearer") for noise in ("noise", "hum") for snr_db in (0.0, 20.0)]
    assert total.clips == known.CLIPS
    assert total.noisy.errors.total == sum(one.noisy.errors.total for one in single)
    assert report.get("all", 0.0, "clearer").noisy.errors.words == 2 * known.CLIPS * 20


def test_adding_back_is_the_strength_of_our_own_enhancer(noisy_speech):
    noisy = noisy_speech(known.RATE).astype(np.float32)
    full = Enhancer("log_mmse").enhance(noisy, known.RATE)
    for strength in STRENGTHS:
        own = Enhancer("log_mmse", strength=strength).enhance(noisy, known.RATE)
        assert np.abs(mixed(noisy, full, strength) - own).max() < 1e-6


def test_a_late_enhancer_is_brought_in_step_before_mixing(data):
    def late(audio, rate):
        return np.pad(audio, ((0, 0), (160, 0)))[:, : audio.shape[1]]

    rng = np.random.default_rng(0)
    for number in range(known.CLIPS):
        # Tones have no delay that could be told.
        path = data[0].parent / f"c{number:02d}.wav"
        soundfile.write(path, 0.1 * rng.standard_normal(8_000), known.RATE, "FLOAT")
    levels: list[float] = []

    def listen(audio, rate):
        levels.append(float(np.std(audio[200:-200])))
        return known.TEXT

    enhancer = known.ClipEnhancer("late", late)
    analyzer(data[1], enhancer, listen=listen, snrs_db=(20.0,), strengths=(0.5,)).run(data[0], limit=1)
    _, noisy, half, full = levels
    # Out of step, half of each would be 3 dB weaker.
    assert half == pytest.approx(noisy, rel=0.02)
    assert full == pytest.approx(noisy, rel=0.02)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"strengths": (0.5, 1.5)}, "strengths"),
        ({"snrs_db": ()}, "snrs_db"),
        ({"snrs_db": (math.nan,)}, "snrs_db"),
        ({"jobs": 0}, "jobs"),
        ({"confidence": 1.0}, "confidence"),
        ({"max_clean_wer": -1.0}, "max_clean_wer"),
        ({"embedder": "ears"}, "ears"),
    ],
)
def test_parameters_out_of_range_are_named(data, options, named):
    with pytest.raises(InvalidParameterError, match=named):
        analyzer(data[1], **options)


def test_the_noisy_clip_is_an_enhancer_of_nobody():
    with pytest.raises(InvalidParameterError, match=UNPROCESSED):
        analyzer(None, known.ClipEnhancer(UNPROCESSED, lambda audio, _: audio))
