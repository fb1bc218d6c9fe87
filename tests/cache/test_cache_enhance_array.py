"""With a cache, an array becomes what it becomes without one, and the second time it is not made anew."""

from __future__ import annotations

import numpy as np
import pytest

import unmuffle
from unmuffle.cache import Cache
from unmuffle.errors import InvalidAudioError

RATE = 16_000


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        yield cache


@pytest.fixture
def noisy(noisy_speech):
    return noisy_speech(RATE, seconds=1.0, channels=2)


@pytest.mark.parametrize("kind", ["float32", "float64", "int16", "int32"])
@pytest.mark.parametrize("settings", [{}, {"loudness": -20.0}, {"noise_profile": (0.0, 0.2)}])
def test_the_second_time_it_is_found(cache, noisy, kind, settings):
    given = noisy if kind.startswith("float") else np.round(noisy * 2.0 ** (15 if kind == "int16" else 31))
    given = given.astype(kind)
    enhancer = unmuffle.Enhancer("wiener", **settings)
    plain = enhancer.enhance(given, RATE)
    for hits in (0, 0, 1):
        assert cache.statistics.hits == hits
        found = enhancer.enhance(given, RATE, cache=cache)
        np.testing.assert_array_equal(found, plain)
        assert (found.dtype, found.shape) == (plain.dtype, plain.shape)
        # It is the caller's own: what is done to it is not done to the next.
        found[:] = 0


def test_other_samples_rates_shapes_types_and_settings_are_other_results(cache, noisy):
    def ask(audio, rate=RATE, **settings):
        before = cache.statistics.hits
        clear = unmuffle.enhance(audio, rate, cache=cache, **{"method": "wiener", **settings})
        np.testing.assert_array_equal(clear, unmuffle.enhance(audio, rate, **{"method": "wiener", **settings}))
        return cache.statistics.hits - before

    different = noisy.copy()
    different[0, 0] += 1e-12
    asked = [
        lambda: ask(noisy),
        lambda: ask(different),
        lambda: ask(noisy, 22_050),
        lambda: ask(noisy[0]),
        lambda: ask(noisy[:1]),
        lambda: ask(noisy.astype(np.float32)),
        lambda: ask(noisy, strength=0.5),
        lambda: ask(noisy, method="log_mmse"),
    ]
    assert [ask_one() for ask_one in asked] == [0] * len(asked)
    assert [ask_one() for ask_one in asked] == [1] * len(asked)


def test_lists_and_turned_arrays_are_known_by_what_they_hold(cache, noisy):
    unmuffle.enhance(noisy, RATE, method="wiener", cache=cache)
    unmuffle.enhance(np.asfortranarray(noisy), RATE, method="wiener", cache=cache)
    unmuffle.enhance(noisy.tolist(), RATE, method="wiener", cache=cache)
    assert (cache.statistics.hits, cache.statistics.misses) == (2, 1)


def test_what_cannot_be_enhanced_is_refused_as_without_a_cache(cache, noisy):
    noisy[0, 5] = np.nan
    for _ in range(2):
        with pytest.raises(InvalidAudioError, match="NaN"):
            unmuffle.enhance(noisy, RATE, method="wiener", cache=cache)
    assert cache.statistics.stored == 0


def test_a_stand_in_for_a_model_is_not_kept(cache, noisy, monkeypatch):
    import onnxruntime

    from unmuffle.models import session

    def fail(*arguments, **options):
        raise RuntimeError("no such instruction")

    session._opened.cache_clear()
    monkeypatch.setattr(onnxruntime, "InferenceSession", fail)
    with pytest.warns(UserWarning, match="is used instead"):
        unmuffle.enhance(noisy, RATE, cache=cache)
    assert cache.statistics.stored == 0
    session._opened.cache_clear()


def test_true_is_the_cache_of_the_user(noisy, tmp_path, monkeypatch):
    monkeypatch.setenv("UNMUFFLE_CACHE", str(tmp_path / "of the user"))
    for off in (None, False):
        unmuffle.enhance(noisy, RATE, method="wiener", cache=off)
    assert not (tmp_path / "of the user").exists()
    for _ in range(2):
        unmuffle.enhance(noisy, RATE, method="wiener", cache=True)
    with Cache(tmp_path / "of the user") as cache:
        assert (cache.statistics.hits, cache.statistics.misses) == (1, 1)
