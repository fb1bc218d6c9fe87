"""Speech shaped for a listener in noise: no louder, better understood, and optimal where that can be checked."""

import numpy as np
import pytest
from listening_signals import bad_inputs, talker
from pystoi import stoi
from scipy.optimize import minimize
from scipy.signal import firwin2, oaconvolve, welch

from unmuffle.errors import InvalidParameterError
from unmuffle.level import NearEndEqualizer, integrated_loudness, near_end_equalize
from unmuffle.level.near_end import optimal_powers

RATE = 16_000


def in_speech_shaped_noise(speech: np.ndarray, shaped: np.ndarray, snr_db: float) -> tuple[float, float]:
    """ESTOI of speech and of shaped speech in the same noise, which has the speech's spectrum."""
    frequencies, density = welch(speech, RATE, nperseg=1024)
    taps = firwin2(1025, frequencies / (RATE / 2), np.sqrt(density / density.max()))
    noise = oaconvolve(np.random.default_rng(0).standard_normal(speech.size), taps, "same")
    noise *= np.sqrt(np.square(speech).mean() / np.square(noise).mean()) * 10 ** (-snr_db / 20)
    return tuple(stoi(speech, heard + noise, RATE, extended=True) for heard in (speech, shaped))


@pytest.mark.parametrize("pitch_hz", [110.0, 150.0, 220.0])
def test_estoi_rises_at_equal_power(pitch_hz):
    speech = talker(RATE, 12.0, pitch_hz)
    shaped = near_end_equalize(speech, RATE, equal="power")
    shaped *= np.sqrt(np.square(speech).mean() / np.square(shaped).mean())
    for snr_db in (-10.0, -5.0, 0.0):
        before, after = in_speech_shaped_noise(speech, shaped, snr_db)
        assert after > before


@pytest.mark.parametrize("snr_db", [-15.0, 0.0, 10.0])
def test_loudness_stays(snr_db):
    speech = talker(RATE, 15.0, 130.0)
    shaped = near_end_equalize(speech, RATE, snr_db=snr_db)
    assert integrated_loudness(shaped, RATE) == pytest.approx(integrated_loudness(speech, RATE), abs=0.7)


def test_power_stays():
    speech = talker(RATE, 15.0, 130.0)
    shaped = near_end_equalize(speech, RATE, equal="power")
    assert 10 * np.log10(np.square(shaped).mean() / np.square(speech).mean()) == pytest.approx(0.0, abs=0.7)


def test_powers_are_the_optimum_that_a_general_solver_finds():
    rng = np.random.default_rng(3)
    speech, noise, importance, cost = rng.uniform(0.1, 1.0, (4, 6))
    best = optimal_powers(speech, noise, importance, cost)
    assert best @ cost == pytest.approx(speech @ cost)

    def missed(powers):
        return -(importance * powers / (powers + noise)).sum()

    found = minimize(
        missed,
        speech,
        method="SLSQP",
        bounds=[(0, None)] * 6,
        constraints={"type": "eq", "fun": lambda powers: (powers - speech) @ cost},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert missed(best) == pytest.approx(found.fun, abs=1e-7)


def test_amount_zero_changes_nothing():
    speech = talker(RATE, 3.0, 130.0)
    assert near_end_equalize(speech, RATE, amount=0.0) == pytest.approx(speech, abs=1e-6)


def test_linked_channels_are_shaped_alike():
    speech = talker(RATE, 5.0, 130.0)
    shaped = near_end_equalize(np.stack([speech, 0.3 * speech]), RATE, link_channels=True)
    assert shaped[1] == pytest.approx(0.3 * shaped[0], abs=1e-6)


@pytest.mark.parametrize("name", list(bad_inputs(RATE)))
def test_bad_input_stays_bounded(name):
    audio = bad_inputs(RATE)[name]
    shaped = near_end_equalize(audio, RATE)
    assert shaped.shape == audio.shape
    assert np.abs(shaped).max() <= 10.0 * np.abs(audio).max()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": "cafe"}, "speech, white, pink or levels"),
        ({"noise": "125:60,x:1"}, "pairs of Hz and dB"),
        ({"equal": "peak"}, "'loudness' or 'power'"),
        ({"amount": 2.0}, "from 0 to 1"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        NearEndEqualizer(RATE, **options)
