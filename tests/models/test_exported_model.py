"""A graph as ``train`` exports it gives what the network in torch gives."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch, which training needs, is not installed")
pytest.importorskip("onnxscript", reason="onnxscript, which the export needs, is not installed")

import unmuffle  # noqa: E402
from unmuffle.train.export import export_frames  # noqa: E402
from unmuffle.train.networks import UnmuffleS  # noqa: E402


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    network = UnmuffleS(channels=16, positions=8, blocks=2, waist=2, edge=8, air_bands=6, air_units=8)
    with torch.no_grad():
        network.mask.weight *= 10
    return network.eval()


@pytest.fixture(scope="module")
def path(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "exported.onnx"
    export_frames(network, path)
    return path


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
@torch.no_grad()
def test_the_running_side_agrees_with_torch(network, path, noisy_speech, rate):
    audio = noisy_speech(rate, 1.0, 2).astype(np.float32)
    wanted = network.enhance(torch.from_numpy(audio), rate).waveform.numpy()
    found = unmuffle.enhance(audio, rate, model=path, link_channels=False)
    assert np.abs(found - audio).max() > 0.01
    np.testing.assert_allclose(found, wanted, atol=1e-4)
