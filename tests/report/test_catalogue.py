"""The catalogue of measures: every key once, the same measure everywhere."""

from __future__ import annotations

from unmuffle.measure.catalogue import COST_MEASURES, MEASURES, TRANSPARENCY_MEASURES, measure_of
from unmuffle.measure.damage.scores import DAMAGE_MEASURES
from unmuffle.measure.reference.scorecard import REFERENCE_MEASURES
from unmuffle.measure.single.blind_scores import BLIND_MEASURES

PARTS = (REFERENCE_MEASURES, BLIND_MEASURES, DAMAGE_MEASURES, TRANSPARENCY_MEASURES, COST_MEASURES)


def test_no_key_is_used_twice():
    assert len(MEASURES) == sum(map(len, PARTS))
    assert all(MEASURES[measure.key] == measure for part in PARTS for measure in part)


def test_units_are_those_in_the_keys():
    for key, measure in MEASURES.items():
        for end, unit in (("_db", "dB"), ("_hz", "Hz"), ("_ms", "ms"), ("_lufs", "LUFS"), ("_lu", "LU")):
            assert not key.endswith(end) or measure.unit == unit, key


def test_an_unknown_key_is_shown_as_it_is():
    measure = measure_of("homemade")
    assert (measure.title, measure.more_is_better) == ("homemade", None)
