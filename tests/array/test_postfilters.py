"""Post-filters against closed forms: the Wiener gain in white noise, diffuse noise, and what is kept of a voice."""

from __future__ import annotations

import numpy as np
import pytest
from array_signals import RATE, noise, plane_wave, power_db, voice

from unmuffle.array import (
    DelayAndSum,
    MaskBeamformer,
    McCowanFilter,
    ZelinskiFilter,
    beamform,
    open_stream,
    steering_vectors,
)
from unmuffle.array.covariance import diffuse_covariance
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.postfilter_mccowan import voice_weights
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.grid import grid_for

ARRAY = as_geometry("linear4")
GRID = grid_for(RATE)
STEERING = steering_vectors(ARRAY, 60.0, GRID.frequencies_hz)
DIFFUSE = diffuse_covariance(ARRAY, GRID.frequencies_hz)
LONG_S = 10.0
"""With a long memory a gain is that of the true powers, up to the chance of a few thousand frames."""


def zelinski(**options):
    return ZelinskiFilter(GRID, STEERING, **options)


def mccowan(**options):
    return McCowanFilter(GRID, STEERING, DIFFUSE, **options)


def frames_of(covariance, frames=3000, seed=0):
    """Frames of Gaussian noise of a covariance [bins, mics, mics]."""
    rng = np.random.default_rng(seed)
    size = covariance.shape[-1]
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    white = rng.standard_normal((2, frames, len(covariance), size)) / np.sqrt(2.0)
    return np.einsum("kmn,fkn->fmk", root, white[0] + 1j * white[1])


def covariance_of(voice_power, noise_power, coherence):
    return voice_power * STEERING[:, :, None] * STEERING[:, None, :].conj() + noise_power * coherence


@pytest.mark.parametrize("make", [zelinski, mccowan])
@pytest.mark.parametrize("snr", [0.1, 1.0, 9.0])
def test_in_noise_of_the_known_coherence_the_gain_is_that_of_wiener(make, snr):
    coherence = np.broadcast_to(np.eye(4), DIFFUSE.shape) if make is zelinski else DIFFUSE
    gains = make(smoothing_s=LONG_S, floor_db=-60.0).gains(frames_of(covariance_of(snr, 1.0, coherence)))
    wanted = snr / (1.0 + snr)
    # Below 200 Hz the coherence of this array is beyond the bound of McCowan's.
    used = GRID.frequencies_hz > (0.0 if make is zelinski else 1_000.0)
    np.testing.assert_allclose(gains[-1, used], wanted, atol=0.1)
    assert gains[-1, used].mean() == pytest.approx(wanted, abs=0.01)


def test_the_weights_of_mccowan_are_the_formula_of_the_paper():
    rng = np.random.default_rng(2)
    parts = rng.standard_normal((4, 9)) + 1j * rng.standard_normal((4, 9))
    powers = parts @ parts.conj().T
    gamma = rng.uniform(-0.4, 0.9, (4, 4))
    gamma = (gamma + gamma.T) / 2.0
    np.fill_diagonal(gamma, 1.0)
    pairs = [
        (powers[i, j].real - 0.5 * gamma[i, j] * (powers[i, i] + powers[j, j]).real) / (1.0 - gamma[i, j])
        for i in range(4)
        for j in range(i + 1, 4)
    ]
    weights = voice_weights(gamma[None])[0]
    assert np.trace(weights @ powers).real == pytest.approx(np.mean(pairs), rel=1e-12)


def test_in_diffuse_noise_mccowan_takes_out_more_than_zelinski_at_low_frequencies():
    frames = frames_of(DIFFUSE)
    low = (GRID.frequencies_hz > 300.0) & (GRID.frequencies_hz < 1_000.0)
    left = {
        make: 20.0 * np.log10(make(smoothing_s=LONG_S, floor_db=-60.0).gains(frames)[-1, low]).mean()
        for make in (zelinski, mccowan)
    }
    assert left[zelinski] > -6.0
    assert left[mccowan] < -20.0


@pytest.mark.parametrize("make", [zelinski, mccowan])
def test_a_voice_alone_is_left_as_it_is_and_gains_are_between_floor_and_one(make):
    alone = frames_of(covariance_of(1.0, 0.0, DIFFUSE), 50)
    np.testing.assert_allclose(make().gains(alone), 1.0, atol=1e-6)
    gains = make(floor_db=-20.0).gains(frames_of(DIFFUSE, 200))
    assert gains.min() == pytest.approx(0.1)
    assert gains.max() <= 1.0


def test_a_sound_from_nearby_is_put_in_step_with_its_level():
    steering = steering_vectors(ARRAY, "60,0,0.3", GRID.frequencies_hz)
    source = frames_of(np.ones((GRID.bins, 1, 1)), 20)
    np.testing.assert_allclose(ZelinskiFilter(GRID, steering).gains(source * steering.T), 1.0, atol=1e-9)


@pytest.mark.parametrize("method", ["das", "superdirective", "mvdr", "gsc"])
@pytest.mark.parametrize("postfilter", ["zelinski", "mccowan"])
def test_noise_falls_and_the_voice_stays_after_every_steered_beam(method, postfilter):
    speech = plane_wave(ARRAY, 60.0, np.concatenate((np.zeros(RATE), voice(3.0))))
    own = 0.003 * np.random.default_rng(1).standard_normal(speech.shape)
    plain, clear = (
        beamform(speech + own, RATE, ARRAY, method=method, toward=60, postfilter=name)[0]
        for name in ("none", postfilter)
    )
    pause, said = slice(2_000, RATE - 2_000), slice(RATE, None)
    assert power_db(clear[pause]) < power_db(plain[pause]) - 8.0
    assert power_db(clear[said]) == pytest.approx(power_db(plain[said]), abs=1.0)


def test_a_live_stream_has_it_too():
    audio = np.stack([noise(RATE, seed) for seed in range(4)]).astype(np.float32)
    plain, clear = (
        open_stream("linear4", RATE, method="das", toward=60, postfilter=name) for name in ("none", "zelinski")
    )
    assert power_db(clear.process(audio)) < power_db(plain.process(audio)) - 8.0


def test_bad_options_are_named():
    with pytest.raises(InvalidParameterError, match="no post-filter 'wiener': choose among none, zelinski, mccowan"):
        DelayAndSum(RATE, ARRAY, postfilter="wiener")
    with pytest.raises(InvalidParameterError, match="mask-mvdr knows none: choose das"):
        beamform(np.zeros((4, 1000)), RATE, ARRAY, postfilter="zelinski")
    with pytest.raises(InvalidParameterError, match="smoothing_s is 0"):
        zelinski(smoothing_s=0.0)
    with pytest.raises(InvalidParameterError, match="floor_db is 3"):
        mccowan(floor_db=3.0)
    with pytest.raises(InvalidParameterError, match="max_coherence is 1"):
        mccowan(max_coherence=1.0)
    assert MaskBeamformer(RATE, 4).post_filter is None
