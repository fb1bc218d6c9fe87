"""The trackers equal their papers' algorithms, written out here frame by frame in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import exp1

from unmuffle.denoise.noise import Imcra, MinimumStatistics, SppMmse
from unmuffle.denoise.noise.imcra import AVERAGE_BIAS, MINIMUM_BIAS
from unmuffle.signal.grid import grid_for

GRID = grid_for(16000)
FRAMES = 400


@pytest.fixture(scope="module")
def power():
    """Power of noise [frames, bins] with correlated bins, a louder stretch, and bursts like syllables."""
    rng = np.random.default_rng(1)
    white = rng.standard_normal((FRAMES, GRID.bins, 2)).sum(axis=2) + 1j * rng.standard_normal((FRAMES, GRID.bins))
    noise = np.abs(white + 0.5 * np.roll(white, 1, axis=1)) ** 2 * np.geomspace(1.0, 1e-3, GRID.bins)
    noise[220:] *= 4.0
    for start in range(20, FRAMES, 37):
        noise[start : start + 14, 10:120:7] *= 300.0
    noise[0] *= 0.5
    return noise.astype(np.float32)


def ours(estimator, power):
    estimator.start(GRID, 1)
    return np.array([estimator.update(frame[None])[0].copy() for frame in power])


def from_the_first_frame(power):
    """In double precision, with the first frame, which is half empty, made up for."""
    power = power.astype(np.float64)
    return 2.0 * power[0], power


def spp_of_paper(power):
    first, power = from_the_first_frame(power)
    weights = np.hanning(11)[1:-1] / np.hanning(11).sum()
    noise = np.convolve(np.pad(first, 4, mode="reflect"), weights, "valid")
    mean_presence = np.full(len(noise), 0.5)
    xi = 10**1.5
    pole, presence_pole = np.exp(-0.016 / 0.072), np.exp(-0.016 / 0.152)
    for frame in power:
        presence = 1 / (1 + (1 + xi) * np.exp(-frame / noise * xi / (1 + xi)))
        mean_presence = presence_pole * mean_presence + (1 - presence_pole) * presence
        presence = np.where(mean_presence > 0.99, np.minimum(presence, 0.99), presence)
        noise = pole * noise + (1 - pole) * ((1 - presence) * frame + presence * noise)
        yield noise


def minimum_statistics_of_paper(power, u=8, v=12):
    """Figure 5 of Martin 2001, the estimate being renewed in every frame."""
    table = {2: 0.26, 5: 0.48, 8: 0.58, 10: 0.61, 15: 0.668, 20: 0.705, 30: 0.762, 40: 0.8}
    table |= {60: 0.841, 80: 0.865, 120: 0.89, 140: 0.9, 160: 0.91}
    m_d, m_v = np.interp([u * v, v], list(table), list(table.values()))
    first, power = from_the_first_frame(power)
    p, noise, mean, mean_square, alpha_c = first, first, first, first**2, 1.0
    stored = np.full((u, len(p)), np.inf)
    actmin = np.full(len(p), np.inf)
    actmin_sub, pmin_u, lmin_flag = actmin.copy(), actmin.copy(), np.zeros(len(p), bool)
    subwc = 1
    for frame in power:
        alpha_c = 0.7 * alpha_c + 0.3 * max(1 / (1 + (p.sum() / frame.sum() - 1) ** 2), 0.7)
        alpha = 0.96 * alpha_c / (1 + (p / noise - 1) ** 2)
        snr = max(p.sum() / noise.sum(), 1.0)
        alpha = np.maximum(alpha, min(0.3, snr ** (-0.016 / 0.064)))
        p = alpha * p + (1 - alpha) * frame
        beta = np.minimum(alpha**2, 0.8)
        mean = beta * mean + (1 - beta) * p
        mean_square = beta * mean_square + (1 - beta) * p**2
        q_inverse = np.clip((mean_square - mean**2) / (2 * noise**2), 1 / 256, 0.5)
        b_c = 1 + 2.12 * np.sqrt(q_inverse.mean())
        b_min, b_min_sub = (1 + (d - 1) * 2 * (1 - m) / (1 / q_inverse - 2 * m) for d, m in ((u * v, m_d), (v, m_v)))
        k_mod = p * b_min * b_c < actmin
        actmin = np.where(k_mod, p * b_min * b_c, actmin)
        actmin_sub = np.where(k_mod, p * b_min_sub * b_c, actmin_sub)
        if subwc == v:
            lmin_flag &= ~k_mod
            stored = np.concatenate((stored[1:], actmin[None]))
            pmin_u = stored.min(axis=0)
            slope = next(s for q, s in ((0.03, 8), (0.05, 4), (0.06, 2), (np.inf, 1.2)) if q_inverse.mean() < q)
            lifted = lmin_flag & (actmin_sub < slope * pmin_u) & (actmin_sub > pmin_u)
            pmin_u = np.where(lifted, actmin_sub, pmin_u)
            stored = np.where(lifted, actmin_sub, stored)
            lmin_flag[:] = False
            actmin = np.full(len(p), np.inf)
            subwc = 1
        else:
            if subwc > 1:
                lmin_flag |= k_mod
                pmin_u = np.where(k_mod, np.minimum(actmin_sub, pmin_u), pmin_u)
            subwc += 1
        noise = np.minimum(pmin_u, actmin)
        yield noise


def imcra_of_paper(power, u=8):
    """Cohen 2003 with its thresholds, his smoothing constants as time constants, and our two bias factors."""
    first, power = from_the_first_frame(power)
    v = round(0.96 / 8 / 0.016)
    alpha_s, alpha_d = np.exp(-0.016 / 0.076), np.exp(-0.016 / 0.049)

    def over_neighbours(x):
        padded, weights = np.pad(x, 1), np.pad(np.ones(len(x)), 1)
        total = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
        return total / (0.25 * weights[:-2] + 0.5 * weights[1:-1] + 0.25 * weights[2:])

    s = s_tilde = over_neighbours(first)
    average, noise, voice = first, first, np.zeros(len(first))
    none = np.full(len(first), np.inf)
    minimum = [none, none]
    running = [none, none]
    stored: list[list[np.ndarray]] = [[], []]
    for count, frame in enumerate(power, start=1):

        def track(which, value, ended=count % v == 0):
            minimum[which] = np.minimum(minimum[which], value)
            running[which] = np.minimum(running[which], value)
            if ended:
                stored[which] = [*stored[which], running[which]][-u:]
                minimum[which] = np.min(stored[which], axis=0)
                running[which] = value
            return MINIMUM_BIAS * minimum[which]

        s = alpha_s * s + (1 - alpha_s) * over_neighbours(frame)
        floor = track(0, s)
        rough = ((frame < 4.6 * floor) & (s < 1.67 * floor)).astype(float)
        weight = over_neighbours(rough)
        s_f = np.where(weight > 0, over_neighbours(rough * frame) / np.maximum(weight, 1e-300), s_tilde)
        s_tilde = alpha_s * s_tilde + (1 - alpha_s) * s_f
        floor = track(1, s_tilde)
        gamma_min, zeta = frame / floor, s / floor
        q = np.where(gamma_min <= 1, 1.0, np.where(gamma_min < 3, (3 - gamma_min) / 2, 0.0)) * (zeta < 1.67)

        gamma = frame / noise
        xi = np.maximum(0.85 * voice / noise + 0.15 * np.maximum(gamma - 1, 0), 10**-1.8)
        nu = gamma * xi / (1 + xi)
        voice = np.minimum(xi / (1 + xi) * np.exp(exp1(nu) / 2), 1.0) ** 2 * frame
        sure = q >= 1
        odds = np.where(sure, 0.0, q) / np.where(sure, 1.0, 1 - q)
        presence = np.where(sure, 0.0, 1 / (1 + odds * (1 + xi) * np.exp(-nu)))
        alpha = alpha_d + (1 - alpha_d) * presence
        average = alpha * average + (1 - alpha) * frame
        noise = AVERAGE_BIAS * average
        yield noise


@pytest.mark.parametrize(
    ("estimator", "paper"),
    [(SppMmse, spp_of_paper), (MinimumStatistics, minimum_statistics_of_paper), (Imcra, imcra_of_paper)],
    ids=["SppMmse", "MinimumStatistics", "Imcra"],
)
def test_textbook(estimator, paper, power):
    found = ours(estimator(), power)
    expected = np.array(list(paper(power)))
    off = np.abs(found / expected - 1.0)
    # A comparison of nearly equal numbers may turn out otherwise in single precision, and heal some time later.
    assert np.quantile(off, 0.99) < 1e-3
    assert np.mean(off > 1e-3) < 0.01
