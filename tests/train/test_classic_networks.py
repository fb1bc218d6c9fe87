import pytest

torch = pytest.importorskip("torch", reason="torch, which training needs, is not installed")

from unmuffle.errors import InvalidParameterError  # noqa: E402
from unmuffle.train.networks import ConvTasNet, MaskBlstm, build_network  # noqa: E402

SMALL = {"n": 16, "l": 16, "b": 8, "h": 16, "p": 3, "x": 3, "r": 2, "skip": 8}


@pytest.mark.parametrize("network", [ConvTasNet(**SMALL, causal=True), MaskBlstm(units=8, causal=True)])
@torch.no_grad()
def test_causal_variants_look_no_further_ahead_than_a_frame(network):
    network = network.eval()
    early = torch.randn(1, 8_000)
    late = torch.cat([early[:, :4_000], torch.randn(1, 4_000)], 1)
    first, second = (network.enhance(clip, 16_000).waveform for clip in (early, late))
    torch.testing.assert_close(first[:, : 4_000 - 512], second[:, : 4_000 - 512], atol=1e-5, rtol=0)
    assert not torch.allclose(first[:, 4_000:], second[:, 4_000:])


@pytest.mark.parametrize("network", [ConvTasNet(**SMALL), MaskBlstm(units=8)])
@torch.no_grad()
def test_the_others_use_the_whole_clip(network):
    network = network.eval()
    early = torch.randn(1, 8_000)
    late = torch.cat([early[:, :4_000], torch.zeros(1, 4_000)], 1)
    first, second = (network.enhance(clip, 16_000).waveform for clip in (early, late))
    assert not torch.allclose(first[:, :2_000], second[:, :2_000], atol=1e-6)


@pytest.mark.parametrize("samples", [799, 800, 801])
@pytest.mark.parametrize("causal", [False, True])
@torch.no_grad()
def test_conv_tasnet_keeps_the_length(samples, causal):
    waveform = ConvTasNet(**SMALL, causal=causal).enhance(torch.randn(2, samples), 16_000).waveform
    assert waveform.shape == (2, samples)


def test_conv_tasnet_has_the_size_of_the_paper():
    # Table II: 5.1 million with N 512, L 16, B 128, H 512, Sc 128, P 3, X 8, R 3 and masks for two talkers.
    network = ConvTasNet(n=512, l=16, b=128, h=512, p=3, x=8, r=3, skip=128)
    second_mask = 128 * 512 + 512
    assert sum(weight.numel() for weight in network.parameters()) + second_mask == pytest.approx(5.1e6, rel=0.01)


def test_mask_estimators_refuse_what_they_cannot_do():
    with pytest.raises(InvalidParameterError, match="irm, ibm, psm, not 'wiener'"):
        MaskBlstm(target="wiener")


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
@torch.no_grad()
def test_mask_estimators_work_at_every_rate(rate):
    estimate = MaskBlstm(units=8).eval().enhance(0.1 * torch.randn(2, rate // 4), rate)
    assert estimate.waveform.shape == (2, rate // 4)
    assert estimate.mask.shape == estimate.spectrum.shape
    held = estimate.mask[..., 192:240].mean(-1, keepdim=True)
    torch.testing.assert_close(estimate.mask[..., 257:], held.expand_as(estimate.mask[..., 257:]))


def test_unknown_networks_and_sizes_are_named():
    with pytest.raises(InvalidParameterError, match="no network 'rnnoise'; there are unmuffle_s"):
        build_network("rnnoise")
    with pytest.raises(InvalidParameterError, match="colour"):
        build_network("unmuffle_s", colour=3)
