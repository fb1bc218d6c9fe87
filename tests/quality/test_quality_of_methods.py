"""What each model and method that ships reaches on the evaluation clips must not get lost.

A dozen conditions of noise, rate, level, room and channels, and clean speech; made by
``examples/make_evaluation_clips.py``, and the figures by ``store_figures.py``. PESQ: P.862.2 wideband; SI-SDR: with
means removed, at the rate of the clip. On the clips without noise they tell of transparency.
"""

from __future__ import annotations

import pytest
from quality_figures import CLIPS, KEYS, NOISY, SHIPPED, clips, implementations, mean, measure, stored

from unmuffle.models import default_model

ALLOWED_FOR_THE_MEAN = {"pesq_wideband": 0.02, "estoi": 0.005, "si_sdr_db": 0.1}
ALLOWED_FOR_A_CLIP = {"pesq_wideband": 0.05, "estoi": 0.015, "si_sdr_db": 0.3}
WITHOUT_NOISE = ["clean", "clean_wide"]


def losses(before: dict, after: dict) -> list[str]:
    """Name what has dropped by more than noise, over all clips with noise, over those without, and clip by clip."""
    with_noise = [name for name in before if name not in WITHOUT_NOISE]
    groups = {"clips with noise": with_noise, "clips without noise": WITHOUT_NOISE}
    lost = []
    for key in KEYS:
        for title, names in groups.items():
            drop = mean(before, key, names) - mean(after, key, names)
            if drop > ALLOWED_FOR_THE_MEAN[key]:
                lost.append(f"{key} over {title}: -{drop:.3f}")
        for name in before:
            drop = before[name][key] - after[name][key]
            if drop > ALLOWED_FOR_A_CLIP[key]:
                lost.append(f"{key} of {name}: -{drop:.3f}")
    return lost


def test_figures_are_of_these_clips_methods_and_measures():
    found = stored()
    assert found["figures"].keys() == {NOISY, *SHIPPED}
    assert all(figures.keys() == clips().keys() for figures in found["figures"].values())
    assert found["measured_by"] == implementations(), "measure anew: python tests/quality/store_figures.py"


def test_the_clips_are_those_that_were_measured():
    as_stored, measured = stored()["figures"][NOISY], measure(NOISY)
    assert not losses(as_stored, measured)
    assert not losses(measured, as_stored)


@pytest.mark.parametrize("name", SHIPPED)
def test_none_gets_worse(name):
    assert not losses(stored()["figures"][name], measure(name))


@pytest.mark.parametrize("name", SHIPPED)
def test_each_is_better_than_nothing_where_there_is_noise(name):
    figures = stored()["figures"]
    noisy_clips = [name for name in figures[NOISY] if name not in WITHOUT_NOISE]
    for key in KEYS:
        assert mean(figures[name], key, noisy_clips) > mean(figures[NOISY], key, noisy_clips), key


def test_the_default_is_the_best_of_all():
    figures = stored()["figures"]
    noisy_clips = [name for name in figures[NOISY] if name not in WITHOUT_NOISE]
    default = default_model().name
    for key in KEYS:
        assert mean(figures[default], key, noisy_clips) == max(
            mean(figures[name], key, noisy_clips) for name in SHIPPED
        )


@pytest.mark.parametrize("key", KEYS)
def test_a_drop_is_noticed_in_one_clip_and_over_all(key):
    before = stored()["figures"]["om_lsa"]
    assert not losses(before, before)
    one = {name: dict(values) for name, values in before.items()}
    one["rain"][key] -= 1.1 * ALLOWED_FOR_A_CLIP[key]
    assert [loss.partition(":")[0] for loss in losses(before, one)] == [f"{key} of rain"]
    every = {name: values | {key: values[key] - 1.1 * ALLOWED_FOR_THE_MEAN[key]} for name, values in before.items()}
    assert len(losses(before, every)) == 2


def test_clips_are_few_and_small():
    assert sum(path.stat().st_size for path in CLIPS.rglob("*") if path.is_file()) <= 5_000_000
    conditions = [clip.conditions for clip in clips().values()]
    assert len(conditions) >= 12
    assert {clip.sample_rate for clip in clips().values()} == {8_000, 16_000, 44_100, 48_000}
    assert {len(clip.noisy) for clip in clips().values()} == {1, 2}
    assert {"none", "babble", "street", "hum", "hiss", "music"} <= {found["noise"] for found in conditions}
