"""A gate passes what keeps its rules, fails what does not, and never passes what nobody could judge."""

from __future__ import annotations

import math

import pytest
from assurance_rows import GOOD_AFTER, GOOD_BEFORE, assessment, row, unmeasurable
from hypothesis import given
from hypothesis import strategies as st

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.rules import Rule, Threshold
from unmuffle.measure.results import UNPROCESSED, Results

SI_SDR = Rule((Threshold("si_sdr_db", minimum=10.0),))


def outcomes(gate, *arguments):
    return [result.outcome for result in gate.judge(*arguments).results]


def judged(values, rule=SI_SDR, **options):
    items = [assessment({"si_sdr_db": value}, clip=f"clip {place}") for place, value in enumerate(values)]
    return QualityGate((rule,), **options).judge_all(items).enhancers[0]


def test_a_clip_that_is_good_in_everything_passes_the_default_gate():
    verdict = QualityGate.default().judge(assessment(GOOD_AFTER, GOOD_BEFORE))
    assert verdict.passed
    assert [result.outcome for result in verdict.results] == ["passed"] * 8


@pytest.mark.parametrize(
    ("key", "bad", "still_good"),
    [
        ("snr_db", 7.9, 8.1),
        ("pesq_wideband", 1.89, 1.91),
        ("stoi", 0.79, 0.81),
        ("artefact_score", 0.31, 0.29),
        ("clipping_share", 0.011, 0.009),
        ("transparency_si_sdr_db", 19.9, 20.1),
        ("real_time_factor", 1.1, 0.99),
        ("latency_ms", 51.0, 49.0),
    ],
)
def test_each_default_threshold_lies_where_it_is_said_to(key, bad, still_good):
    gate = QualityGate.default()
    assert gate.judge(assessment({**GOOD_AFTER, key: still_good}, GOOD_BEFORE)).passed
    verdict = gate.judge(assessment({**GOOD_AFTER, key: bad}, GOOD_BEFORE))
    assert verdict.status == "failed"
    assert [result.outcome for result in verdict.results].count("failed") == 1


def test_speech_that_was_intelligible_already_need_not_gain_in_it():
    before = {**GOOD_BEFORE, "stoi": 0.94}
    assert QualityGate.default().judge(assessment({**GOOD_AFTER, "stoi": 0.96}, before)).passed
    assert not QualityGate.default().judge(assessment({**GOOD_AFTER, "stoi": 0.945}, before)).passed


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0, 50), st.sampled_from(["value", "gain"]), st.floats(-50, 50))
def test_better_never_turns_a_pass_into_a_failure(limit, value, more, of, before):
    gate = QualityGate((Rule((Threshold("si_sdr_db", of, minimum=limit),)),))
    earlier = row({"si_sdr_db": before}, enhancer=UNPROCESSED)
    first = gate.judge(row({"si_sdr_db": value}), earlier)
    second = gate.judge(row({"si_sdr_db": value + more}), earlier)
    assert second.passed or not first.passed
    measured = value if of == "value" else value - before
    if abs(measured - limit) > 1e-6:
        assert first.passed == (measured > limit)


def test_what_lies_on_a_limit_is_within_whatever_floating_point_makes_of_it():
    gate = QualityGate((Rule((Threshold("stoi", "gain", minimum=0.1),)),))
    assert 0.85 - 0.75 < 0.1
    assert gate.judge(row({"stoi": 0.85}), row({"stoi": 0.75}, enhancer=UNPROCESSED)).passed
    assert not gate.judge(row({"stoi": 0.8499}), row({"stoi": 0.75}, enhancer=UNPROCESSED)).passed


def test_what_cannot_be_judged_is_skipped_with_the_reason():
    gate = QualityGate((Rule((Threshold("pesq_wideband", "gain", minimum=0.5),)), SI_SDR))
    clip = assessment({"si_sdr_db": 11.0}, failures={"pesq_wideband": 'pip install "unmuffle[metrics]"'})
    verdict = gate.judge(clip)
    assert verdict.passed
    assert [result.outcome for result in verdict.results] == ["skipped", "passed"]
    assert "unmuffle[metrics]" in verdict.results[0].text


def test_a_required_rule_fails_where_it_cannot_be_judged():
    gate = QualityGate((Rule((Threshold("stoi", minimum=0.9),), required=True), SI_SDR))
    verdict = gate.judge(assessment({"si_sdr_db": 11.0}))
    assert verdict.status == "failed"
    assert "not known" in verdict.reason


def test_a_gain_needs_the_clip_as_it_came():
    gate = QualityGate((Rule((Threshold("si_sdr_db", "gain", minimum=1.0),)),))
    assert outcomes(gate, row({"si_sdr_db": 50.0})) == ["skipped"]
    assert outcomes(gate, row({"si_sdr_db": 50.0}), row({"si_sdr_db": 48.0}, enhancer=UNPROCESSED)) == ["passed"]


def test_of_several_thresholds_one_has_to_hold_and_an_unknown_one_might():
    either = (Threshold("stoi", minimum=0.9), Threshold("si_sdr_db", minimum=10.0))
    gate = QualityGate((Rule(either),))
    assert outcomes(gate, row({"stoi": 0.5, "si_sdr_db": 11.0})) == ["passed"]
    assert outcomes(gate, row({"stoi": 0.5, "si_sdr_db": 9.0})) == ["failed"]
    assert outcomes(gate, row({"si_sdr_db": 11.0})) == ["passed"]
    assert outcomes(gate, row({"si_sdr_db": 9.0})) == ["skipped"]


def test_a_warning_is_told_and_passes():
    gate = QualityGate((Rule((Threshold("si_sdr_db", minimum=10.0),), severity="warn"),))
    verdict = gate.judge(row({"si_sdr_db": 1.0}))
    assert verdict.passed
    assert verdict.results[0].outcome == "warned"
    assert verdict.results[0].broken


def test_both_limits_hold_at_once():
    gate = QualityGate((Rule((Threshold("loudness_lufs", minimum=-24.0, maximum=-22.0),)),))
    found = [gate.judge(row({"loudness_lufs": value})).passed for value in (-24.1, -24.0, -23.0, -22.0, -21.9)]
    assert found == [False, True, True, True, False]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_finite_number_is_not_judged(value):
    verdict = QualityGate((SI_SDR,)).judge(row({"si_sdr_db": value}))
    assert verdict.status == "unmeasured"


@pytest.mark.parametrize("clip", [unmeasurable(), assessment({"stoi": 0.99})], ids=["broken", "nothing to judge by"])
def test_what_nobody_could_judge_has_not_passed(clip):
    verdict = QualityGate((SI_SDR,)).judge(clip)
    assert (verdict.status, verdict.passed) == ("unmeasured", False)
    assert verdict.reason
    assert QualityGate((SI_SDR,)).judge_all([clip]).status == "unmeasured"


def test_a_run_judged_on_the_mean_forgives_a_bad_clip():
    found = judged([8.0, 12.0, 11.0])
    assert found.status == "passed"
    assert found.share_passed == pytest.approx(2 / 3)
    assert [verdict.assessment.clip for verdict in found.worst] == ["clip 0"]
    assert judged([8.0, 9.0, 11.0]).status == "failed"


def test_the_mean_is_over_the_clips_on_which_a_measure_was_taken():
    items = [assessment({"si_sdr_db": 12.0}, clip="a"), assessment({"stoi": 0.9, "si_sdr_db": 9.0}, clip="b")]
    gate = QualityGate((Rule((Threshold("stoi", minimum=0.8),)), SI_SDR))
    found = gate.judge_all(items).enhancers[0]
    assert [result.outcome for result in found.results] == ["passed", "passed"]
    assert [result.findings[0].measured for result in found.results] == [0.9, 10.5]
    assert [result.note for result in found.results] == ["mean of 1 of 2 clips", "mean of 2 clips"]


def test_a_required_measure_has_to_be_known_of_every_clip():
    rule = Rule((Threshold("stoi", minimum=0.8),), required=True)
    items = [assessment({"stoi": 0.9}, clip="a"), assessment({"si_sdr_db": 9.0}, clip="b")]
    found = QualityGate((rule,)).judge_all(items).enhancers[0]
    assert found.status == "failed"
    assert "1 of 2" in found.results[0].text


@pytest.mark.parametrize(("bad", "status"), [(0, "passed"), (1, "passed"), (2, "failed")])
def test_of_twenty_clips_a_share_of_95_per_cent_forgives_one(bad, status):
    values = [5.0] * bad + [11.0] * (20 - bad)
    assert judged(values, on="clips", least_share=0.95).status == status


def test_a_rule_may_be_judged_otherwise_than_its_gate():
    each = Rule(SI_SDR.any, on="clips")
    assert judged([8.0, 14.0], rule=each).status == "failed"
    assert judged([8.0, 14.0]).status == "passed"


def test_one_clip_that_cannot_be_measured_leaves_the_others_judged():
    items = [assessment({"si_sdr_db": 12.0}, clip="a"), unmeasurable()]
    found = QualityGate((SI_SDR,)).judge_all(items).enhancers[0]
    assert found.status == "unmeasured"
    assert [result.outcome for result in found.results] == ["passed"]
    assert [verdict.assessment.clip for verdict in found.unmeasured] == ["broken"]


def test_the_worst_clips_are_ten_by_rules_broken_then_by_how_far():
    items = [assessment({"si_sdr_db": -place, "stoi": 0.9}, clip=f"{place}") for place in range(12)]
    items.append(assessment({"si_sdr_db": 9.9, "stoi": 0.1}, clip="both"))
    gate = QualityGate((SI_SDR, Rule((Threshold("stoi", minimum=0.8),))))
    worst = [verdict.assessment.clip for verdict in gate.judge_all(items).enhancers[0].worst]
    assert worst == ["both", *map(str, range(11, 2, -1))]


def test_rows_of_an_evaluation_are_judged_by_enhancer():
    rows = [
        row({"si_sdr_db": 1.0}, "a", UNPROCESSED),
        row({"si_sdr_db": 11.0}, "a", "strong"),
        row({"si_sdr_db": 2.0}, "a", "weak"),
    ]
    report = QualityGate((Rule((Threshold("si_sdr_db", "gain", minimum=5.0),)),)).judge_all(Results(rows))
    assert {item.enhancer: item.status for item in report.enhancers} == {"strong": "passed", "weak": "failed"}
    assert report.status == "failed"


def test_a_run_without_an_enhanced_clip_is_refused():
    with pytest.raises(InvalidParameterError, match="nothing to judge"):
        QualityGate.default().judge_all(Results([row({"stoi": 0.5}, enhancer=UNPROCESSED)]))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Threshold("si_sdr", minimum=1.0), "did you mean si_sdr_db"),
        (lambda: Threshold("stoi"), "no limit"),
        (lambda: Threshold("stoi", minimum=math.nan), "finite"),
        (lambda: Threshold("stoi", minimum=True), "finite"),
        (lambda: Threshold("stoi", minimum=0.9, maximum=0.8), "above its maximum"),
        (lambda: Threshold("stoi", "change", minimum=0.9), "'value' or 'gain' or 'before'"),
        (lambda: Rule(()), "at least one threshold"),
        (lambda: Rule(SI_SDR.any, severity="error"), "'fail' or 'warn'"),
        (lambda: Rule(SI_SDR.any, on="each"), "'mean' or 'clips'"),
        (lambda: QualityGate(()), "no rule"),
        (lambda: QualityGate((SI_SDR,), on="each"), "'mean' or 'clips'"),
        (lambda: QualityGate((SI_SDR,), least_share=0.0), "least_share"),
        (lambda: QualityGate((SI_SDR,), least_share=1.5), "least_share"),
    ],
)
def test_a_gate_that_makes_no_sense_is_refused(make, said):
    with pytest.raises(InvalidParameterError, match=said):
        make()
