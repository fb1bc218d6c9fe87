"""Gates come back from their files as they were, and errors name the file, the rule and the way out."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.rules import Rule, Threshold

limits = st.floats(-1e6, 1e6)
thresholds = st.builds(
    Threshold, st.sampled_from(["stoi", "si_sdr_db"]), st.sampled_from(["value", "gain"]), limits, st.just(1e6)
)
rules = st.builds(
    Rule,
    st.lists(thresholds, min_size=1, max_size=3).map(tuple),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(["fail", "warn"]),
    st.booleans(),
    st.sampled_from([None, "mean", "clips"]),
)
gates = st.builds(
    QualityGate,
    st.lists(rules, min_size=1, max_size=4).map(tuple),
    st.sampled_from(["mean", "clips"]),
    st.floats(0.01, 1.0),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(gate=gates, suffix=st.sampled_from([".toml", ".json"]))
def test_any_gate_comes_back_as_it_was(gate, suffix, tmp_path):
    path = tmp_path / f"gate{suffix}"
    gate.save(path)
    assert QualityGate.load(path) == gate


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_the_default_gate_comes_back_as_it_was(suffix, tmp_path):
    QualityGate.default().save(tmp_path / f"gate{suffix}")
    assert QualityGate.load(tmp_path / f"gate{suffix}") == QualityGate.default()


def test_a_gate_written_by_hand_means_what_it_says(tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text(
        'on = "clips"\nleast_share = 0.9\n'
        '[[rules]]\nname = "clear enough"\nseverity = "warn"\nrequired = true\non = "mean"\n'
        'any = [{ measure = "stoi", minimum = 1 }, { measure = "snr_db", of = "gain", minimum = 3, maximum = 40 }]\n'
        '[[rules]]\nmeasure = "latency_ms"\nmaximum = 20\n'
    )
    stoi, gain = Threshold("stoi", minimum=1), Threshold("snr_db", "gain", 3, 40)
    first = Rule((stoi, gain), "clear enough", "warn", required=True, on="mean")
    assert QualityGate.load(path) == QualityGate((first, Rule((Threshold("latency_ms", maximum=20),))), "clips", 0.9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("  \n", "it is empty"),
        ("rules = [", "no valid TOML"),
        ("rules = 3", "rules must be a list of tables"),
        ('on = "mean"', "has no rule"),
        ('on = "means"\n[[rules]]\nmeasure = "stoi"\nminimum = 1', "'mean' or 'clips', not 'means'"),
        ('rulez = 1\n[[rules]]\nmeasure = "stoi"\nminimum = 1', "did you mean rules"),
        ('[[rules]]\nmeasure = "pesq"\nminimum = 1', "rule 1: there is no measure 'pesq': did you mean pesq_"),
        ('[[rules]]\nmeasure = "qqqq"\nminimum = 1', "those there are: snr_db"),
        ('[[rules]]\nmeasure = "stoi"\nmin = 1', "rule 1: a rule has no field 'min': did you mean minimum"),
        ('[[rules]]\nmeasure = "stoi"\nminimum = "1"', "rule 1: minimum of stoi must be a finite number, not '1'"),
        ("[[rules]]\nminimum = 1", "rule 1: it names no measure"),
        ('[[rules]]\nmeasure = "stoi"\nminimum = 1\nrequired = "yes"', "required must be true or false, not 'yes'"),
        ('[[rules]]\nmeasure = "stoi"\nminimum = 1\nname = 5', "name must be a text, not 5"),
        ('[[rules]]\nany = "stoi"', "any must be a list of tables"),
        ("[[rules]]\nany = []", "at least one threshold"),
        ('[[rules]]\nmeasure = "stoi"\nany = [{ measure = "stoi", minimum = 1 }]', "no field 'measure'"),
        ('[[rules]]\nmeasure = ["stoi"]\nminimum = 1', "there is no measure"),
        ('least_share = "all"\n[[rules]]\nmeasure = "stoi"\nminimum = 1', "least_share must be above 0"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(text, said, tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text(text)
    with pytest.raises(InvalidParameterError, match=r"gate\.toml: ") as raised:
        QualityGate.load(path)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("data", "said"), [("[]", "an object with rules"), ("{", "no valid JSON")])
def test_json_that_is_no_gate_is_named(data, said, tmp_path):
    (tmp_path / "gate.json").write_text(data)
    with pytest.raises(InvalidParameterError, match=said):
        QualityGate.load(tmp_path / "gate.json")


def test_a_saved_json_gate_is_plain_json(tmp_path):
    QualityGate.default().save(tmp_path / "gate.json")
    data = json.loads((tmp_path / "gate.json").read_text())
    assert data["rules"][0] == {"measure": "snr_db", "of": "gain", "minimum": 3.0}


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path):
    with pytest.raises(AudioFileError, match="cannot be read"):
        QualityGate.load(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidParameterError, match="no text in UTF-8"):
        QualityGate.load(tmp_path / "binary.toml")
    with pytest.raises(InvalidParameterError, match=r"a \.toml or a \.json file"):
        QualityGate.default().save(tmp_path / "gate.yaml")
