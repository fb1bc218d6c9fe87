import pytest

torch = pytest.importorskip("torch", reason="torch, which training needs, is not installed")

from small_training import SIZES  # noqa: E402

from unmuffle.signal.grid import grid_for  # noqa: E402
from unmuffle.train.networks import UnmuffleS  # noqa: E402
from unmuffle.train.networks.contract import analyse, synthesise  # noqa: E402

FRAMES_PER_S = 62.5
MOST_PARAMETERS, MOST_MACS_PER_S = 250_000, 200e6


def with_random_norms(network):
    """Untrained norms do nothing: give them something to do."""
    torch.manual_seed(3)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network.eval()


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return with_random_norms(UnmuffleS(**SIZES))


@pytest.fixture(scope="module")
def spectra():
    torch.manual_seed(2)
    return torch.view_as_real(analyse(0.1 * torch.randn(2, 24_000), grid_for(48_000)))


@torch.no_grad()
def test_frame_by_frame_is_all_at_once(network, spectra):
    whole = network(spectra, network.start(2))
    states, gains, heads = network.start(2), [], []
    for frame in spectra.split(1):
        outputs = network(frame, states)
        states = outputs.states
        gains.append(outputs.gains)
        heads.append(outputs.heads)
    torch.testing.assert_close(torch.cat(gains), whole.gains, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.cat(heads), whole.heads, atol=1e-5, rtol=0)
    for after, wanted in zip(states, whole.states, strict=True):
        torch.testing.assert_close(after, wanted, atol=1e-5, rtol=0)


@torch.no_grad()
def test_no_gain_depends_on_later_frames(network, spectra):
    changed = spectra.clone()
    changed[20:] = torch.randn_like(changed[20:])
    before, after = network(spectra, network.start(2)), network(changed, network.start(2))
    assert torch.equal(before.gains[:20], after.gains[:20])
    assert not torch.equal(before.gains[20:], after.gains[20:])


@torch.no_grad()
def test_what_is_above_8_khz_changes_nothing_below(network, spectra):
    lower, all_bins = network(spectra[:, :, :257], network.start(2)), network(spectra, network.start(2))
    assert torch.equal(lower.gains, all_bins.gains[:, :, :257])
    assert torch.equal(lower.heads, all_bins.heads)


@torch.no_grad()
@pytest.mark.parametrize("factor", [0.03, 30.0])
def test_loud_and_quiet_get_the_same_gains(network, spectra, factor):
    plain, scaled = network(spectra, network.start(2)), network(factor * spectra, network.start(2))
    torch.testing.assert_close(plain.gains, scaled.gains, atol=0.01, rtol=0.01)


@torch.no_grad()
def test_silence_gives_finite_gains_and_so_does_full_scale(network, spectra):
    for factor in (0.0, 1e-9, 1e3):
        outputs = network(factor * spectra, network.start(2))
        assert all(torch.isfinite(tensor).all() for tensor in (outputs.gains, outputs.heads, *outputs.states))


@torch.no_grad()
@pytest.mark.parametrize("rate", [8_000, 16_000, 32_000, 96_000])
def test_every_rate_is_enhanced_alike(network, rate):
    time_s = torch.arange(96_000) / 96_000
    swells = 0.1 * torch.sin(2 * torch.pi * 220 * time_s) * (1 + 0.8 * torch.sin(2 * torch.pi * 4 * time_s))

    def levels(at):
        """Level of each tenth of a second of what comes out."""
        out = network.enhance(swells[None, :: 96_000 // at], at).waveform[0]
        return torch.stack([tenth.square().mean().sqrt() for tenth in out.split(at // 10)[:9]])

    torch.testing.assert_close(levels(rate), levels(48_000), rtol=0.02, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("rate", [11_025, 22_050, 44_100, 192_000])
def test_rates_off_the_grid_come_back_whole(network, rate):
    noisy = 0.1 * torch.randn(2, rate // 4)
    enhanced = network.enhance(noisy, rate).waveform
    assert enhanced.shape == noisy.shape
    assert torch.isfinite(enhanced).all()
    assert 0.01 < enhanced.std() / noisy.std() < 10


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_analysis_and_synthesis_rebuild_the_waveform(rate):
    waveform = torch.randn(2, rate // 3 + 7)
    grid = grid_for(rate)
    torch.testing.assert_close(synthesise(analyse(waveform, grid), grid, waveform.shape[-1]), waveform)


def test_analysis_is_that_of_the_running_package():
    from unmuffle.signal.stft import StftStream

    waveform = torch.randn(1, 4_000)
    ours = analyse(waveform, grid_for(16_000)) * grid_for(16_000).hop
    stream = StftStream(grid_for(16_000), channels=1)
    theirs = torch.cat([torch.from_numpy(spectra.copy()) for spectra in stream.analyze(waveform.numpy())])
    torch.testing.assert_close(ours[: len(theirs)], theirs, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_the_shipped_size_keeps_to_its_budget():
    network = UnmuffleS()
    macs = []

    def count(module, inputs, output):
        if isinstance(module, torch.nn.Conv1d):
            macs.append(output[0, 0].numel() * module.weight.numel())
        else:
            macs.append(inputs[0].numel() // module.in_features * module.weight.numel())

    for module in network.modules():
        if isinstance(module, (torch.nn.Conv1d, torch.nn.Linear)):
            module.register_forward_hook(count)
    network.eval()(torch.zeros(1, 1, 769, 2), network.start(1))
    assert sum(weight.numel() for weight in network.parameters()) <= MOST_PARAMETERS
    assert 100e6 < FRAMES_PER_S * sum(macs) <= MOST_MACS_PER_S


def test_every_weight_learns_from_a_full_band_clip():
    network = UnmuffleS(**SIZES)
    estimate = network.enhance(0.1 * torch.randn(2, 12_000), 48_000)
    heads = estimate.presence.sum() + estimate.local_snr.sum()
    (estimate.waveform.square().sum() + heads).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())
