"""The PyTorch module does what ``unmuffle.enhance`` does, for tensors of any shape and type."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import unmuffle
from unmuffle.errors import InvalidAudioError, InvalidParameterError

torch = pytest.importorskip("torch")

from unmuffle.integrations.torch_module import EnhancerModule  # noqa: E402

RATE = 16_000


@pytest.fixture
def batch(noisy_speech):
    """[3, 2, n]"""
    return torch.from_numpy(np.stack([noisy_speech(RATE, seconds=0.7, channels=2, seed=n) for n in range(3)])).float()


@pytest.fixture
def module():
    return EnhancerModule(RATE, method="wiener", strength=0.8)


def expected(tensor, **settings):
    return unmuffle.enhance(tensor.numpy(), RATE, **{"method": "wiener", "strength": 0.8, **settings})


def test_each_of_a_batch_is_enhanced_as_it_would_be_alone(module, batch):
    enhanced = module(batch)
    assert (enhanced.shape, enhanced.dtype, enhanced.device) == (batch.shape, batch.dtype, batch.device)
    for item, result in zip(batch, enhanced, strict=True):
        np.testing.assert_array_equal(result.numpy(), expected(item))
    np.testing.assert_array_equal(module(batch[0]).numpy(), expected(batch[0]))
    np.testing.assert_array_equal(module(batch[0, 0]).numpy(), expected(batch[0, 0]))


def test_the_network_is_what_it_runs_by_default(batch):
    enhanced = EnhancerModule(RATE)(batch[0])
    np.testing.assert_array_equal(enhanced.numpy(), unmuffle.enhance(batch[0].numpy(), RATE))


@pytest.mark.parametrize(("kind", "tolerance"), [("float64", 1e-6), ("float16", 1e-3), ("bfloat16", 1e-2)])
def test_types_are_kept(module, batch, kind, tolerance):
    given = batch[0].to(getattr(torch, kind))
    enhanced = module(given)
    assert enhanced.dtype == given.dtype
    np.testing.assert_allclose(enhanced.float().numpy(), expected(given.float()), atol=tolerance)


def test_the_input_stays_and_the_output_has_no_gradient(module, batch):
    given = batch.clone().requires_grad_()
    enhanced = module(given)
    assert torch.equal(given.detach(), batch)
    assert not enhanced.requires_grad
    scale = torch.nn.Parameter(torch.ones(1))
    (scale * enhanced).square().sum().backward()
    assert scale.grad is not None
    assert given.grad is None


def test_tensors_that_do_not_lie_in_order_are_enhanced(module, batch):
    turned = batch.transpose(0, 1).contiguous().transpose(0, 1)
    assert not turned.is_contiguous()
    assert torch.equal(module(turned), module(batch))
    assert torch.equal(module(batch[..., ::2]), module(batch[..., ::2].clone()))


def test_it_stands_in_a_model_and_moves_with_it(module, batch):
    class Power(torch.nn.Module):
        def forward(self, waveform):
            return waveform.square().mean(-1)

    model = torch.nn.Sequential(module, Power()).train()
    first = model(batch)
    assert torch.equal(model.eval()(batch), first)
    assert model.to(torch.float64)(batch.double()).dtype == torch.float64
    assert list(model.parameters()) == []
    assert model.state_dict() == {}
    assert "sample_rate=16000" in repr(model)


def test_it_can_be_copied_and_taken_to_another_process(module, batch):
    enhanced = module(batch)
    assert torch.equal(copy.deepcopy(module)(batch), enhanced)
    assert torch.equal(pickle.loads(pickle.dumps(module))(batch), enhanced)


def test_an_empty_batch_stays_empty(module):
    assert module(torch.empty(0, 2, 100)).shape == (0, 2, 100)


def test_the_device_of_the_input_is_that_of_the_output(module, batch):
    if not torch.cuda.is_available():
        pytest.skip("there is no other device here that holds values")
    enhanced = module(batch.cuda())
    assert enhanced.is_cuda
    assert torch.equal(enhanced.cpu(), module(batch))


@pytest.mark.parametrize(
    "wrong",
    [torch.zeros(100, dtype=torch.int16), torch.zeros(1, 1, 1, 100), torch.tensor(1.0), torch.zeros(4, dtype=bool)],
)
def test_other_shapes_and_types_are_refused(module, wrong):
    with pytest.raises(InvalidAudioError, match="cannot be enhanced"):
        module(wrong)


def test_what_cannot_be_enhanced_is_told(module):
    with pytest.raises(InvalidAudioError):
        module(torch.full((1, 1000), float("nan")))
    with pytest.raises(InvalidParameterError):
        EnhancerModule(RATE, strength=2.0)
    with pytest.raises(InvalidParameterError, match="sample_rate is 100 Hz"):
        EnhancerModule(100, method="wiener")(torch.zeros(100))
