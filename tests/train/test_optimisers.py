import copy

import pytest

pytest.importorskip("torch", reason="torch, which training needs, is not installed")

import torch
from torch import nn

from unmuffle.errors import InvalidParameterError
from unmuffle.train.optimisers import make_optimisers


class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.zeros(48, 20))
        self.narrow = nn.Parameter(torch.zeros(2, 20))
        self.kernel = nn.Parameter(torch.zeros(16, 16, 3))
        self.bias = nn.Parameter(torch.zeros(48))
        self.unused = nn.Parameter(torch.ones(32, 32))


def one_step(name):
    torch.manual_seed(0)
    network = Toy()
    optimisers = make_optimisers(network, name, 0.01, 0.1)
    gradients = {}
    for key, weight in network.named_parameters():
        if key != "unused":
            weight.grad = gradients[key] = torch.randn_like(weight)
    optimisers.step()
    return network, optimisers, gradients


def test_muon_takes_orthogonal_steps_with_matrices():
    network, _, gradients = one_step("muon")
    left, _, right = torch.linalg.svd(gradients["matrix"], full_matrices=False)
    # 0.2 times the root of the longer side gives the size of AdamW's steps; five iterations come near the polar factor.
    expected = -0.01 * 0.2 * 48**0.5 * (left @ right)
    cosine = torch.cosine_similarity(network.matrix.flatten(), expected.flatten(), dim=0)
    assert cosine > 0.95
    singular = torch.linalg.svdvals(network.matrix.detach())
    assert singular.max() / singular.min() < 2.5


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_all_else_takes_the_first_step_of_adamw(name):
    network, _, gradients = one_step(name)
    for key in ("narrow", "kernel", "bias"):
        step = dict(network.named_parameters())[key].detach()
        torch.testing.assert_close(step, -0.01 * gradients[key].sign(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_weights_without_gradient_are_left_alone(name):
    assert torch.equal(one_step(name)[0].unused, torch.ones(32, 32))


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_a_state_carries_the_moments(name):
    network, optimisers, gradients = one_step(name)
    other = Toy()
    other.load_state_dict(network.state_dict())
    taken_up = make_optimisers(other, name, 0.01, 0.1)
    taken_up.load_state_dict(copy.deepcopy(optimisers.state_dict()))
    for key, weight in other.named_parameters():
        weight.grad = -2 * gradients[key] if key in gradients else None
        dict(network.named_parameters())[key].grad = weight.grad
    optimisers.step()
    taken_up.step()
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_the_rate_is_set_for_all():
    _, optimisers, _ = one_step("muon")
    optimisers.set_learning_rate(0.5)
    assert {group["lr"] for part in optimisers.parts for group in part.param_groups} == {0.5}


def test_an_unknown_name_is_refused():
    with pytest.raises(InvalidParameterError, match=r"sgd.*adamw, muon"):
        make_optimisers(Toy(), "sgd", 0.1, 0.0)
