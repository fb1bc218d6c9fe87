import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch, which training needs, is not installed")
pytest.importorskip("onnxscript", reason="onnxscript, which the export needs, is not installed")

import onnxruntime  # noqa: E402
from small_training import SIZES  # noqa: E402

from unmuffle.errors import InvalidParameterError  # noqa: E402
from unmuffle.train.export import export_frames  # noqa: E402
from unmuffle.train.folding import folded  # noqa: E402
from unmuffle.train.networks import ConvTasNet, UnmuffleS  # noqa: E402


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    network = UnmuffleS(**SIZES)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    return network.eval()


@pytest.fixture(scope="module")
def session(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "network.onnx"
    export_frames(network, path, {"licence": "Apache-2.0", "scores": {"pesq": 1.5}})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(session, spectra, states):
    feeds = {"spectra": spectra.numpy()} | {f"state_{n}": state.numpy() for n, state in enumerate(states)}
    gains, heads, *after = session.run(None, feeds)
    return gains, heads, [torch.from_numpy(state) for state in after]


@pytest.mark.parametrize(("frames", "streams"), [(1, 1), (1, 5), (2, 1), (9, 3), (200, 1)])
@torch.no_grad()
def test_onnx_agrees_with_torch(network, session, frames, streams):
    torch.manual_seed(4)
    spectra = 0.02 * torch.randn(frames, streams, 769, 2)
    states = network(0.02 * torch.randn(3, streams, 769, 2), network.start(streams)).states
    wanted = network(spectra, states)
    gains, heads, after = run(session, spectra, states)
    np.testing.assert_allclose(gains, wanted.gains, atol=1e-4)
    np.testing.assert_allclose(heads, wanted.heads, atol=1e-4)
    for found, state in zip(after, wanted.states, strict=True):
        np.testing.assert_allclose(found, state, atol=1e-4)


@torch.no_grad()
def test_a_frame_at_a_time_is_a_chunk_at_once(network, session):
    torch.manual_seed(5)
    spectra = 0.02 * torch.randn(12, 2, 769, 2)
    whole, _, _ = run(session, spectra, network.start(2))
    states, gains = network.start(2), []
    for frame in spectra.split(1):
        found, _, states = run(session, frame, states)
        gains.append(found)
    np.testing.assert_allclose(np.concatenate(gains), whole, atol=1e-5)


@torch.no_grad()
def test_streams_do_not_hear_each_other(network, session):
    torch.manual_seed(6)
    spectra = 0.02 * torch.randn(4, 3, 769, 2)
    together, _, _ = run(session, spectra, network.start(3))
    alone, _, _ = run(session, spectra[:, 1:2], network.start(1))
    np.testing.assert_allclose(together[:, 1:2], alone, atol=1e-5)


def test_the_file_tells_what_it_is(session):
    told = session.get_modelmeta().custom_metadata_map
    assert told["format"] == "unmuffle-frames-1"
    assert told["licence"] == "Apache-2.0"
    assert json.loads(told["scores"]) == {"pesq": 1.5}
    assert (told["hop_ms"], told["bins"], told["bin_hz"]) == ("16", "769", "31.25")
    assert [entry.name for entry in session.get_inputs()][:2] == ["spectra", "state_0"]


@torch.no_grad()
def test_folding_norms_changes_nothing(network):
    torch.manual_seed(7)
    spectra = 0.02 * torch.randn(5, 2, 769, 2)
    plain = folded(network)
    assert not any(isinstance(module, torch.nn.BatchNorm1d) for module in plain.modules())
    torch.testing.assert_close(
        plain(spectra, plain.start(2)).gains, network(spectra, network.start(2)).gains, atol=1e-5, rtol=1e-4
    )


def test_a_network_of_waveforms_is_refused(tmp_path):
    with pytest.raises(InvalidParameterError, match="ConvTasNet does not work on frames"):
        export_frames(ConvTasNet(n=8, b=4, h=4, x=1, r=1, skip=4), tmp_path / "x.onnx")
