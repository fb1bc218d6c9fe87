"""Weights against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from array_signals import RATE

from unmuffle.array import ArrayGeometry, beam_pattern, steering_vectors
from unmuffle.array.beamformer import response
from unmuffle.array.covariance import diagonal_loaded, diffuse_covariance
from unmuffle.array.das import das_weights
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.gev import gev_weights
from unmuffle.array.gsc import blocking_matrices
from unmuffle.array.lcmv import lcmv_weights
from unmuffle.array.mvdr import mvdr_weights, souden_weights
from unmuffle.array.mwf import mwf_weights
from unmuffle.array.pattern import directivity, white_noise_gain
from unmuffle.array.superdirective import superdirective_weights

HZ = np.arange(1, 257) * RATE / 512
ARRAY = as_geometry("circle8")
TARGET = steering_vectors(ARRAY, 30.0, HZ)
OTHER = steering_vectors(ARRAY, 140.0, HZ)


def rank_one(steering, power=1.0):
    return power * steering[:, :, None] * steering[:, None, :].conj()


def random_covariance(seed=0, mics=8):
    rng = np.random.default_rng(seed)
    parts = rng.standard_normal((HZ.size, mics, 3 * mics)) + 1j * rng.standard_normal((HZ.size, mics, 3 * mics))
    return parts @ parts.conj().swapaxes(1, 2)


@pytest.mark.parametrize("name", ["laptop2", "linear4", "respeaker6", "circle8"])
def test_white_noise_gain_of_delay_and_sum_is_the_number_of_microphones(name):
    array = as_geometry(name)
    steering = steering_vectors(array, "30,10", HZ)
    np.testing.assert_allclose(white_noise_gain(das_weights(steering), steering), array.microphones)


def test_mvdr_is_distortionless():
    weights = mvdr_weights(TARGET, diagonal_loaded(random_covariance(), -40.0))
    np.testing.assert_allclose(response(weights, TARGET), 1.0, atol=1e-6)


def test_mvdr_nulls_a_point_interferer():
    noise = rank_one(OTHER) + 1e-9 * np.eye(8)
    weights = mvdr_weights(TARGET, noise)
    np.testing.assert_allclose(response(weights, TARGET), 1.0, atol=1e-6)
    heard = np.abs(response(weights, OTHER))
    # At the lowest frequencies both directions are nearly one for 10 cm.
    assert heard[HZ > 300.0].max() < 1e-4


def test_mvdr_in_white_noise_is_delay_and_sum():
    np.testing.assert_allclose(
        mvdr_weights(TARGET, np.broadcast_to(np.eye(8), (HZ.size, 8, 8))), das_weights(TARGET), atol=1e-12
    )


def test_mvdr_has_the_least_noise_of_all_distortionless_weights():
    noise = random_covariance(3)
    best = mvdr_weights(TARGET, noise)
    left = np.einsum("km,kmn,kn->k", best.conj(), noise, best).real
    rng = np.random.default_rng(1)
    for _ in range(5):
        other = best + 0.1 * (rng.standard_normal(best.shape) + 1j * rng.standard_normal(best.shape))
        other /= response(other, TARGET).conj()[:, None]
        assert (np.einsum("km,kmn,kn->k", other.conj(), noise, other).real >= left * (1 - 1e-9)).all()


def test_souden_is_mvdr_toward_the_reference_for_speech_of_rank_one():
    noise = random_covariance(4)
    # Up to the phase and gain of the reference both are the same filter.
    expected = mvdr_weights(TARGET, noise) * TARGET[:, 2, None].conj()
    np.testing.assert_allclose(souden_weights(rank_one(TARGET, 7.0), noise, 2), expected, atol=1e-9)


def test_without_speech_the_reference_is_picked_out():
    weights = souden_weights(np.zeros((HZ.size, 8, 8), complex), random_covariance(), 5)
    np.testing.assert_array_equal(weights, np.broadcast_to(np.eye(8)[5], weights.shape))


def test_gev_is_the_principal_eigenvector_and_in_phase_with_the_reference():
    from scipy.linalg import eigh

    speech, noise = random_covariance(5), random_covariance(6)
    weights = gev_weights(speech, noise, 1, normalized=False)
    for k in (0, 100, 255):
        expected = eigh(speech[k], noise[k])[1][:, -1]
        cosine = np.abs(weights[k].conj() @ expected) / np.linalg.norm(expected)
        assert cosine == pytest.approx(1.0, abs=1e-9)
    alike = gev_weights(rank_one(TARGET), noise, 1)
    np.testing.assert_allclose(np.angle(response(alike, TARGET) * TARGET[:, 1].conj()), 0.0, atol=1e-6)


def test_ban_is_the_formula_of_its_paper():
    speech, noise = random_covariance(5), random_covariance(6)
    plain, scaled = (gev_weights(speech, noise, 0, normalized=told) for told in (False, True))
    k = 77
    w, cov = plain[k], noise[k]
    ban = np.sqrt((w.conj() @ cov @ cov @ w).real / 8) / (w.conj() @ cov @ w).real
    np.testing.assert_allclose(scaled[k], ban * w, rtol=1e-9)


def test_mwf_is_mvdr_times_the_wiener_gain():
    noise = random_covariance(7)
    power, mu = 0.3, 2.0
    snr = power * np.einsum("km,km->k", TARGET.conj(), np.linalg.solve(noise, TARGET[..., None])[..., 0]).real
    mvdr = mvdr_weights(TARGET, noise) * TARGET[:, 0, None].conj()
    expected = mvdr * (snr / (mu + snr))[:, None]
    np.testing.assert_allclose(mwf_weights(rank_one(TARGET, power), noise, 0, trade_off=mu), expected, atol=1e-9)


def test_lcmv_keeps_and_nulls():
    third = steering_vectors(ARRAY, 250.0, HZ)
    constraints = np.stack((TARGET, OTHER, third), axis=-1)
    weights = lcmv_weights(constraints, np.array([1.0, 0.0, 0.0]), diagonal_loaded(random_covariance(8), -40.0))
    np.testing.assert_allclose(response(weights, TARGET), 1.0, atol=1e-6)
    high = HZ > 1_000.0
    assert np.abs(response(weights, OTHER))[high].max() < 1e-8
    assert np.abs(response(weights, third))[high].max() < 1e-8


def test_blocking_matrices_are_blind_to_the_direction():
    blocking = blocking_matrices(TARGET)
    assert blocking.shape == (HZ.size, 7, 8)
    assert np.abs(np.einsum("knm,km->kn", blocking, TARGET)).max() < 1e-12
    np.testing.assert_allclose(
        blocking @ blocking.conj().swapaxes(1, 2), np.broadcast_to(np.eye(7), (256, 7, 7)), atol=1e-12
    )


@pytest.mark.parametrize("bound_db", [-10.0, 0.0, 6.0])
def test_superdirective_keeps_its_bound_and_is_distortionless(bound_db):
    diffuse = diffuse_covariance(ARRAY, HZ)
    weights = superdirective_weights(TARGET, diffuse, bound_db)
    np.testing.assert_allclose(response(weights, TARGET), 1.0, atol=1e-6)
    assert (white_noise_gain(weights, TARGET) >= 10 ** (bound_db / 10) * (1 - 1e-6)).all()
    assert (directivity(weights, TARGET, diffuse) >= directivity(das_weights(TARGET), TARGET, diffuse) - 1e-6).all()


def test_a_bound_that_no_array_reaches_gives_delay_and_sum():
    weights = superdirective_weights(TARGET, diffuse_covariance(ARRAY, HZ), 12.0)
    np.testing.assert_allclose(weights, das_weights(TARGET), atol=1e-9)


def test_end_fire_of_two_near_microphones_has_the_directivity_of_a_hypercardioid():
    # As their distance goes to 0, superdirective end-fire of M microphones has a directivity of M squared.
    array = ArrayGeometry.linear(2, 0.005)
    low = np.array([200.0])
    steering, diffuse = steering_vectors(array, 0.0, low), diffuse_covariance(array, low)
    weights = mvdr_weights(steering, diffuse)
    assert directivity(weights, steering, diffuse)[0] == pytest.approx(4.0, rel=0.01)


def test_the_pattern_is_0_db_toward_the_voice_and_its_index_the_mean_over_the_sphere():
    weights = das_weights(TARGET)
    pattern = beam_pattern(weights, ARRAY, HZ, 30.0)
    np.testing.assert_allclose(pattern.gain_db[:, 15], 0.0, atol=1e-9)
    np.testing.assert_allclose(pattern.white_noise_gain_db, 10 * np.log10(8))
    rng = np.random.default_rng(0)
    toward = rng.standard_normal((40_000, 3))
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    for k in (30, 120):
        heard = np.exp(2j * np.pi * HZ[k] * (toward @ ARRAY.centred_m.T) / 343.2146) @ weights[k].conj()
        index_db = -10 * np.log10(np.mean(np.abs(heard) ** 2))
        assert pattern.directivity_db[k] == pytest.approx(index_db, abs=0.1)
