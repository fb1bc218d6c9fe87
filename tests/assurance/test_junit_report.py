"""Pipelines read the XML, count in it what the gate counted, and go red only when the gate failed."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from assurance_rows import GOOD_AFTER, GOOD_BEFORE, assessment, unmeasurable
from hypothesis import given
from hypothesis import strategies as st

from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.junit import junit_xml, write_junit
from unmuffle.measure.assurance.rules import Rule, Threshold

RULES = st.lists(
    st.builds(
        Rule,
        st.builds(Threshold, st.sampled_from(["stoi", "estoi"]), minimum=st.sampled_from([0.3, 0.6])).map(
            lambda x: (x,)
        ),
        st.just(""),
        st.sampled_from(["fail", "warn"]),
        st.booleans(),
        st.sampled_from(["mean", "clips"]),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
VALUES = st.dictionaries(st.sampled_from(["stoi", "estoi"]), st.sampled_from([0.2, 0.5, 0.9]))
RUNS = st.lists(VALUES, min_size=1, max_size=6)


def parsed(report):
    root = ET.fromstring(junit_xml(report))
    assert root.tag == "testsuites"
    for suite in root:
        assert suite.tag == "testsuite"
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(attribute)) == sum(case.find(tag) is not None for case in cases)
        assert float(suite.get("time")) >= 0.0
        for case in cases:
            assert case.get("name")
            assert case.get("classname")
            assert float(case.get("time")) >= 0.0
            assert sum(child.tag in ("failure", "error", "skipped") for child in case) <= 1
    for attribute in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(attribute)) == sum(int(suite.get(attribute)) for suite in root)
    return root


@given(rules=RULES, run=RUNS, share=st.sampled_from([0.5, 1.0]))
def test_it_is_red_exactly_where_the_gate_did_not_pass(rules, run, share):
    items = [assessment(values, clip=f"clip {place}") for place, values in enumerate(run)]
    report = QualityGate(rules, least_share=share).judge_all(items)
    root = parsed(report)
    assert (int(root.get("failures")) > 0) == (report.status == "failed")
    if report.status != "failed":
        assert (int(root.get("errors")) > 0) == (report.status == "unmeasured")


@given(st.text())
def test_any_name_of_a_clip_gives_a_document_that_can_be_read(name):
    gate = QualityGate((Rule((Threshold("stoi", minimum=0.5),), on="clips"),))
    broken = assessment({}, clip=name + "2", failures={"clip": f"{name} is damaged"})
    parsed(gate.judge_all([assessment({"stoi": 0.1}, clip=name + "1", enhancer=name + "x"), broken]))


def test_failures_errors_and_skips_tell_why():
    items = [
        assessment({**GOOD_AFTER, "snr_db": 6.0}, GOOD_BEFORE, "faint"),
        unmeasurable("broken"),
    ]
    root = parsed(QualityGate(QualityGate.default().rules, on="clips").judge_all(items))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert cases["faint: SNR gain"].find("failure").get("message") == "SNR gain: +1.00 dB, at least 3"
    assert cases["broken"].find("error").get("message") == "broken.wav is damaged"
    assert cases["faint: latency"].find("failure") is None
    root = parsed(QualityGate.default().judge_all([assessment({"stoi": 0.96}, clip="blind")]))
    assert "not known" in next(root.iter("skipped")).get("message")


def test_rules_on_the_mean_are_a_case_each_with_the_worst_clips_told():
    items = [
        assessment(GOOD_AFTER, GOOD_BEFORE, "good"),
        assessment({**GOOD_AFTER, "snr_db": 6.0}, GOOD_BEFORE, "faint"),
    ]
    (suite,) = parsed(QualityGate.default().judge_all(items))
    assert len(suite.findall("testcase")) == len(QualityGate.default().rules)
    told = suite.find("system-out").text
    assert "1 of 2 clips pass alone" in told
    assert "worst: faint: SNR gain: +1.00 dB, at least 3 /audio/noisy/faint.wav /audio/mine/faint.wav" in told


def test_a_suites_time_is_what_its_enhancer_took():
    items = [assessment({"stoi": 0.9, "real_time_factor": 0.5}, clip=name) for name in "ab"]
    (suite,) = parsed(QualityGate((Rule((Threshold("stoi", minimum=0.5),)),)).judge_all(items))
    assert float(suite.get("time")) == pytest.approx(2 * 0.5 * 5.0)


def test_the_file_holds_the_document(tmp_path):
    report = QualityGate.default().judge_all([assessment(GOOD_AFTER, GOOD_BEFORE)])
    write_junit(report, tmp_path / "out.xml")
    assert (tmp_path / "out.xml").read_bytes() == junit_xml(report)
    assert [path.name for path in tmp_path.iterdir()] == ["out.xml"]
