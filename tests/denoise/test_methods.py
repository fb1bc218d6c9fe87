"""Methods are found by the names people type."""

from __future__ import annotations

import pytest
from denoise_signals import make_noise

from unmuffle.denoise import AUTO, METHODS, find_method
from unmuffle.denoise.noise import MinimumStatistics, NoiseProfile
from unmuffle.errors import InvalidParameterError


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_found_by_its_name(name):
    assert find_method(name) is METHODS[name]
    assert find_method(name).name == name


@pytest.mark.parametrize("name", METHODS)
def test_dashes_capitals_and_spaces_do_not_matter(name):
    assert find_method(f" {name.replace('_', '-').upper()} ") is METHODS[name]


def test_auto_is_one_of_them():
    assert find_method("auto") is find_method("AUTO") is METHODS[AUTO]


@pytest.mark.parametrize(("typed", "meant"), [("omlsa", "om_lsa"), ("weiner", "wiener"), ("log-mse", "log_mmse")])
def test_an_unknown_name_is_guessed(typed, meant):
    with pytest.raises(InvalidParameterError, match=rf"no method '{typed}' \(did you mean {meant}\?\)"):
        find_method(typed)


@pytest.mark.parametrize("typed", ["", "zzzz", "42"])
def test_a_name_like_none_gets_the_list_and_no_guess(typed):
    with pytest.raises(InvalidParameterError) as caught:
        find_method(typed)
    assert "did you mean" not in str(caught.value)
    for name in ("auto", *METHODS):
        assert name in str(caught.value)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_a_summary_is_one_line(method):
    assert method.summary == method.summary.strip()
    assert "\n" not in method.summary
    assert 20 < len(method.summary) < 100


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_a_method_is_made_anew_and_takes_a_noise_estimator(method):
    assert method.make(None) is not method.make(None)
    for noise in (MinimumStatistics(), NoiseProfile(make_noise("white", 16000, 0.5, 1), 16000)):
        assert method.make(noise).noise is noise
