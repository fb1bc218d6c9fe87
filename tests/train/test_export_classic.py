"""The classic networks as ONNX: the same numbers as in PyTorch, whole and in pieces, and through the front door."""

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch, which training needs, is not installed")
pytest.importorskip("onnxscript", reason="onnxscript, which the export needs, is not installed")

import onnxruntime  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

import unmuffle  # noqa: E402
from unmuffle.cli.train import app  # noqa: E402
from unmuffle.denoise.networks import network_processor  # noqa: E402
from unmuffle.errors import InvalidParameterError  # noqa: E402
from unmuffle.models import find_model  # noqa: E402
from unmuffle.train.checkpoint import save_checkpoint  # noqa: E402
from unmuffle.train.config import as_tree, config_from  # noqa: E402
from unmuffle.train.export import export_network  # noqa: E402
from unmuffle.train.networks import ConvTasNet, Network, build_network  # noqa: E402

SIZES = {"n": 16, "l": 32, "b": 8, "h": 16, "p": 3, "x": 3, "r": 2, "skip": 8}
VARIANTS = {
    "mask causal": ("mask_blstm", {"units": 12, "causal": True}),
    "mask causal one layer": ("mask_blstm", {"units": 12, "layers": 1, "target": "irm", "causal": True}),
    "mask": ("mask_blstm", {"units": 12}),
    "tasnet causal": ("conv_tasnet", {**SIZES, "causal": True}),
    "tasnet causal two taps": ("conv_tasnet", {**SIZES, "p": 2, "x": 2, "skip": 5, "causal": True}),
    "tasnet": ("conv_tasnet", SIZES),
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Make a variant with lively weights and export it, once each."""
    folder, made = tmp_path_factory.mktemp("classic"), {}

    def of(variant):
        if variant not in made:
            name, sizes = VARIANTS[variant]
            torch.manual_seed(len(made))
            network = build_network(name, **sizes).eval()
            for module in network.modules():
                if isinstance(module, torch.nn.BatchNorm1d):
                    module.running_mean.uniform_(0, 1)
                    module.running_var.uniform_(0.5, 2)
                if hasattr(module, "gain"):
                    torch.nn.init.uniform_(module.gain, 0.5, 1.5)
                    torch.nn.init.normal_(module.bias, 0, 0.1)
            path = folder / f"{variant.replace(' ', '_')}.onnx"
            export_network(network, path, {"sample_rate": 16_000, "chunk_s": 0.5})
            made[variant] = network, path
        return made[variant]

    return of


def opened(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def speech(rate, seconds, channels=1, seed=0):
    """Bursts of harmonics in noise, at most 0.5."""
    random = np.random.default_rng(seed)
    time = np.arange(round(rate * seconds)) / rate
    voice = sum(np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 25)) * np.sin(2 * np.pi * 2 * time).clip(0)
    noise = 0.1 * random.standard_normal((channels, time.size))
    return (0.15 * (voice + noise)).astype(np.float32)


def streamed(path, audio, rate, block):
    stream = network_processor(find_model(path), rate, len(audio))
    pieces = [stream.process(audio[:, at : at + block]) for at in range(0, audio.shape[1], block)]
    return np.concatenate([*pieces, stream.flush()], axis=1), stream


@pytest.mark.parametrize("variant", ["mask causal", "mask causal one layer"])
@pytest.mark.parametrize(("rate", "block"), [(8_000, 37), (16_000, 256), (48_000, 100_000)])
@torch.no_grad()
def test_causal_mask_estimators_stream_what_torch_gives(exported, variant, rate, block):
    network, path = exported(variant)
    audio = speech(rate, 0.6, 2)
    found, stream = streamed(path, audio, rate, block)
    np.testing.assert_allclose(found, network.enhance(torch.from_numpy(audio), rate).waveform, atol=1e-4)
    assert stream.latency_ms == pytest.approx(32, abs=0.2)
    assert np.abs(found - audio).max() > 0.01


@torch.no_grad()
def test_the_heads_of_a_mask_estimator_tell_what_passes(exported):
    network, path = exported("mask causal")
    spectra = 0.05 * torch.randn(6, 2, 769, 2)
    spectra[3] = 0.0
    feeds = {f"state_{n}": state.numpy() for n, state in enumerate(network.start(2))}
    gains, heads, *_ = opened(path).run(None, {"spectra": spectra.numpy(), **feeds})
    power = spectra.double().square().sum(-1).numpy()
    kept = (gains[..., 0].astype(np.float64) ** 2 * power).sum(-1)[[0, 1, 2, 4, 5]]
    total = power.sum(-1)[[0, 1, 2, 4, 5]]
    logits, local = heads[[0, 1, 2, 4, 5]].transpose(2, 0, 1)
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), kept / total, atol=1e-4)
    np.testing.assert_allclose(-15 + 50 * local, 10 * np.log10(kept / (total - kept)), atol=1e-2)
    assert (heads[3, :, 0] < -5).all()
    assert not gains[..., 1].any()


@pytest.mark.parametrize("variant", ["mask", "tasnet"])
@pytest.mark.parametrize("samples", [1, 255, 256, 257, 5_000])
@torch.no_grad()
def test_networks_of_whole_clips_agree_with_torch(exported, variant, samples):
    network, path = exported(variant)
    audio = torch.from_numpy(speech(16_000, 0.4, 2))[:, -samples:].contiguous()
    (found,) = opened(path).run(None, {"audio": audio.numpy()})
    np.testing.assert_allclose(found, network.enhance(audio, 16_000).waveform, atol=1e-4)


@pytest.mark.parametrize("variant", ["mask", "tasnet"])
def test_networks_of_whole_clips_run_in_chunks_at_any_rate(exported, variant):
    _, path = exported(variant)
    audio = speech(44_100, 1.2, 2)
    found, stream = streamed(path, audio, 44_100, 4_000)
    assert stream.latency_ms == pytest.approx(500, abs=0.1)
    np.testing.assert_allclose(streamed(path, audio, 44_100, 100_000)[0], found, atol=1e-5)


@pytest.mark.parametrize("variant", ["tasnet causal", "tasnet causal two taps"])
@pytest.mark.parametrize("cuts", [[1] * 20, [7, 1, 12], [20]])
@torch.no_grad()
def test_hops_may_come_in_any_number(exported, variant, cuts):
    network, path = exported(variant)
    session, stride = opened(path), network.stride
    audio = torch.from_numpy(speech(16_000, 0.5, 3))[:, -20 * stride :].contiguous()
    feeds = {f"state_{n}": state.numpy() for n, state in enumerate(network.start(3))}
    pieces = []
    for piece in audio.split([cut * stride for cut in cuts], 1):
        enhanced, *states = session.run(None, {"audio": piece.numpy(), **feeds})
        feeds = {f"state_{n}": state for n, state in enumerate(states)}
        pieces.append(enhanced)
    wanted = network.enhance(audio, 16_000).waveform[:, :-stride]
    np.testing.assert_allclose(np.concatenate(pieces, 1)[:, stride:], wanted, atol=1e-4)


@pytest.mark.parametrize("block", [1, 16, 333])
@torch.no_grad()
def test_a_causal_conv_tasnet_streams_with_the_length_of_its_filters(exported, block):
    network, path = exported("tasnet causal")
    audio = speech(16_000, 0.3 if block > 1 else 0.05, 2)
    found, stream = streamed(path, audio, 16_000, block)
    np.testing.assert_allclose(found, network.enhance(torch.from_numpy(audio), 16_000).waveform, atol=1e-4)
    assert stream.latency_ms == pytest.approx(1e3 * 31 / 16_000)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_the_front_door_streams_a_causal_conv_tasnet_at_every_rate(exported, rate):
    _, path = exported("tasnet causal")
    audio = speech(rate, 0.4, 2)
    whole = unmuffle.enhance(audio, rate, model=path)
    stream = unmuffle.open_stream(rate, 2, model=path)
    pieces = [stream.process(audio[:, at : at + 480]) for at in range(0, audio.shape[1], 480)]
    np.testing.assert_allclose(np.concatenate([*pieces, stream.flush()], axis=1), whole, atol=1e-5)
    assert stream.latency_ms < 12


@torch.no_grad()
def test_a_norm_that_has_seen_a_day_still_moves(exported):
    network, _ = exported("tasnet causal")
    norm = network.norm
    seen = torch.tensor([[2.0**20, 0.0, 1.0]])
    for _ in range(3):
        _, seen = norm(2 + torch.zeros(1, 2**18, 16), seen)
    assert seen[0, 0] == 2**20
    assert 0.8 < seen[0, 1] < 1.1


@pytest.mark.parametrize(("share", "rate"), [(0.0, "16000"), (1.0, "48000")])
def test_the_command_exports_them_with_their_rate(tmp_path, share, rate):
    tree = {
        "network": {"name": "conv_tasnet", **SIZES, "x": 1, "r": 1, "causal": True},
        "data": {"packed": "x", "full_band_share": share, "seconds": 2.5},
    }
    config = config_from(tree)
    network = ConvTasNet(**config.network.sizes)
    state = {"config": as_tree(config), "averaged": network.state_dict(), "step": 7, "revision": "r", "data_hash": "d"}
    save_checkpoint(tmp_path / "best.pt", state)
    target = tmp_path / "own.onnx"
    result = CliRunner().invoke(
        app, ["export", str(tmp_path / "best.pt"), str(target), "--note", "licence=MIT"], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    told = opened(target).get_modelmeta().custom_metadata_map
    assert (told["sample_rate"], told["chunk_s"], told["licence"], told["step"]) == (rate, "2.5", "MIT", "7")


def test_a_note_without_a_value_is_refused(tmp_path):
    result = CliRunner().invoke(app, ["export", str(tmp_path / "x.pt"), str(tmp_path / "x.onnx"), "--note", "MIT"])
    assert result.exit_code != 0
    assert "--note is 'MIT'; it must be KEY=TEXT" in result.output


def test_a_network_without_an_export_is_refused(tmp_path):
    with pytest.raises(InvalidParameterError, match="Network does not work on frames"):
        export_network(Network(), tmp_path / "x.onnx")


def test_the_reset_of_a_channel_is_that_of_its_states(exported):
    _, path = exported("tasnet causal")
    audio = speech(48_000, 0.2, 2)
    stream = network_processor(find_model(path), 48_000, 2)
    stream.process(audio[:, :4_800])
    stream.reset(np.array([True, False]))
    found = np.concatenate([stream.process(audio[:, 4_800:]), stream.flush()], axis=1)
    stream_of = partial(streamed, path, rate=48_000, block=48_000)
    whole, alone = stream_of(audio)[0], stream_of(audio[:1, 4_800:])[0]
    np.testing.assert_allclose(found[0, -alone.shape[1] :], alone[0], atol=1e-5)
    np.testing.assert_allclose(found[1], whole[1, -found.shape[1] :], atol=1e-5)
