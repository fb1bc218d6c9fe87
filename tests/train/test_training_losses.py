import pytest

torch = pytest.importorskip("torch", reason="torch, which training needs, is not installed")

import numpy as np  # noqa: E402
from small_training import talk  # noqa: E402

from unmuffle.measure.reference.si_sdr import si_sdr_db as measured_si_sdr_db  # noqa: E402
from unmuffle.train.losses import LossWeights, compress, frame_labels, si_sdr_db, training_loss  # noqa: E402
from unmuffle.train.masks import ideal_binary_mask, ideal_ratio_mask, phase_sensitive_mask  # noqa: E402
from unmuffle.train.multi_resolution import multi_resolution_distance  # noqa: E402
from unmuffle.train.networks import Estimate  # noqa: E402
from unmuffle.train.networks.contract import analyse  # noqa: E402

RATE = 16_000
ONLY = {name: 0.0 for name in LossWeights().__dataclass_fields__ if name != "air"}


@pytest.fixture
def pair():
    target = torch.from_numpy(np.stack([talk(1, 1.0, RATE), talk(2, 1.0, RATE)]))
    return target + 0.02 * torch.randn(target.shape, generator=torch.Generator().manual_seed(0)), target


def loss_of(estimate, noisy, target, **weights):
    return training_loss(Estimate(estimate), noisy, target, RATE, LossWeights(**(ONLY | weights)))[0]


def test_the_target_itself_has_no_loss(pair):
    noisy, target = pair
    terms = {"magnitude": 1.0, "complex": 1.0, "waveform": 1.0, "over_suppression": 1.0}
    assert loss_of(target, noisy, target, **terms) == pytest.approx(0, abs=1e-9)
    assert loss_of(noisy, noisy, target, **terms) > 0.01


def test_si_sdr_is_that_of_the_measure(pair):
    noisy, target = pair
    wanted = [
        measured_si_sdr_db(t, n, RATE, zero_mean=False) for n, t in zip(noisy.numpy(), target.numpy(), strict=True)
    ]
    np.testing.assert_allclose(si_sdr_db(noisy, target).numpy(), wanted, atol=0.01)


def test_level_does_not_matter(pair):
    noisy, target = pair
    terms = {"magnitude": 1.0, "complex": 1.0, "waveform": 1.0, "si_sdr": 0.1}
    louder = loss_of(7 * (noisy + target) / 2, 7 * noisy, 7 * target, **terms)
    assert louder == pytest.approx(float(loss_of((noisy + target) / 2, noisy, target, **terms)), rel=1e-3)


def test_over_suppression_counts_what_is_missing_and_not_what_is_left(pair):
    noisy, target = pair
    assert loss_of(0.5 * target, noisy, target, over_suppression=1.0) > 0.01
    assert loss_of(2 * target, noisy, target, over_suppression=1.0) == pytest.approx(0, abs=1e-9)


def test_compression_is_to_the_power_0_3():
    spectrum = torch.tensor([[3 - 4j]])
    magnitude, compressed = compress(spectrum)
    assert magnitude.item() == pytest.approx(5**0.3, rel=1e-4)
    torch.testing.assert_close(compressed, spectrum * 5**-0.7, rtol=1e-4, atol=1e-6)


def test_consistency_is_zero_for_a_spectrum_of_a_waveform_only(pair):
    from unmuffle.signal.grid import grid_for

    noisy, target = pair
    own = analyse(noisy, grid_for(RATE))
    weights = LossWeights(**(ONLY | {"consistency": 1.0}))

    def consistency(spectrum):
        return float(training_loss(Estimate(noisy, spectrum), noisy, target, RATE, weights)[0])

    assert consistency(own) == pytest.approx(0, abs=1e-6)
    assert consistency(own * torch.linspace(0, 2, own.shape[-1])) > 0.01


def test_noise_only_clips_ask_for_silence(pair):
    noisy, target = pair
    nothing = torch.zeros_like(target)
    terms = {"magnitude": 1.0, "waveform": 1.0, "si_sdr": 1.0}
    assert loss_of(nothing, noisy, nothing, **terms) < loss_of(0.1 * noisy, noisy, nothing, **terms)


def test_labels_tell_where_speech_is_and_how_loud(pair):
    _, target = pair
    target = torch.cat([target, torch.zeros_like(target)], 1)
    noise = torch.roll(target, target.shape[1] // 2, 1)
    presence, local_snr = frame_labels(target + noise, target, RATE)
    half = presence.shape[0] // 2
    assert presence[:half].mean() > 0.5
    assert presence[half + 2 :].sum() == 0
    assert local_snr[: half - 1][presence[: half - 1] > 0].min() == 1
    assert local_snr[half + 2 :].median() == 0


def test_ideal_masks_of_known_mixtures():
    target, noise = torch.tensor([3 + 0j, 1 + 0j, 1 + 0j]), torch.tensor([4j, 0j, -3 + 0j])
    noisy = target + noise
    torch.testing.assert_close(ideal_ratio_mask(target, noisy), torch.tensor([0.6, 1.0, 0.1**0.5]))
    assert ideal_binary_mask(target, noisy).tolist() == [0, 1, 0]
    torch.testing.assert_close(phase_sensitive_mask(target, noisy), torch.tensor([9 / 25, 1.0, 0.0]))


def test_the_distance_of_several_resolutions_is_that_of_the_paper(pair):
    noisy, target = (clip.numpy().astype(np.float64) for clip in pair)
    wanted = []
    for size in (256, 512, 1024):
        window = np.hanning(size + 1)[:-1]
        padded = [np.pad(clips, ((0, 0), (size // 2, size // 2)), mode="reflect") for clips in (noisy, target)]
        frames = [np.lib.stride_tricks.sliding_window_view(clips, size, axis=1)[:, :: size // 4] for clips in padded]
        own, true = (np.abs(np.fft.rfft(of * window)) / window.sum() for of in frames)
        convergence = np.linalg.norm((own - true).reshape(2, -1), axis=1) / np.linalg.norm(true.reshape(2, -1), axis=1)
        logarithms = np.abs(np.log(np.maximum(own, 1e-3)) - np.log(np.maximum(true, 1e-3))).mean((1, 2))
        wanted.append((convergence + logarithms).mean())
    assert multi_resolution_distance(*pair, RATE).item() == pytest.approx(np.mean(wanted), rel=1e-3)


def test_the_distance_of_several_resolutions_can_be_trained_on(pair):
    noisy, target = pair
    assert loss_of(target, noisy, target, multi_resolution=1.0) == pytest.approx(0, abs=1e-4)
    estimate = noisy.clone().requires_grad_()
    loss_of(estimate, noisy, torch.zeros_like(target), multi_resolution=1.0).backward()
    assert torch.isfinite(estimate.grad).all()
    assert estimate.grad.abs().max() > 0
