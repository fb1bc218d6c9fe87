import pytest

torch = pytest.importorskip("torch", reason="torch, which training needs, is not installed")

import numpy as np  # noqa: E402
from scipy.signal import lfilter  # noqa: E402

from unmuffle.train.networks.recurrence import linear_recurrence  # noqa: E402


def test_with_a_constant_gate_it_is_a_first_order_filter():
    random = np.random.default_rng(0)
    drive = random.standard_normal((50, 3))
    states = linear_recurrence(
        torch.full((50, 3), 0.8, dtype=torch.float64), torch.from_numpy(drive), torch.zeros(3).double()
    )
    np.testing.assert_allclose(states.numpy(), lfilter([1], [1, -0.8], drive, axis=0), atol=1e-12)


def test_going_on_from_the_last_state_is_going_on():
    decay, drive, start = torch.rand(9, 2, 4), torch.randn(9, 2, 4), torch.randn(2, 4)
    whole = linear_recurrence(decay, drive, start)
    first = linear_recurrence(decay[:5], drive[:5], start)
    then = linear_recurrence(decay[5:], drive[5:], first[-1])
    torch.testing.assert_close(torch.cat([first, then]), whole)


def test_gradients_match_finite_differences():
    tensors = [torch.rand(6, 2, 3).double(), torch.randn(6, 2, 3).double(), torch.randn(2, 3).double()]
    assert torch.autograd.gradcheck(linear_recurrence, [tensor.requires_grad_() for tensor in tensors])
