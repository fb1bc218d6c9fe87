import os

import pytest

pytest.importorskip("torch", reason="torch, which training needs, is not installed")

import torch

from unmuffle.train.crew import Crew, CrewLostError, run_crew


def sums_and_means(crew, folder):
    total = crew.sum(torch.tensor([1.0 + crew.rank, 10.0]))
    parts = [torch.full((2, 3), float(crew.rank)), torch.tensor(6.0 * crew.rank)]
    crew.mean_in_place(parts)
    large = crew.sum(torch.full((1_000_000,), 0.5))
    torch.save([total, *parts, large.unique()], folder / f"{crew.rank}.pt")


def leaves_early(crew):
    if crew.rank == 2:
        os._exit(3)
    crew.sum(torch.ones(4))


def test_all_processes_have_the_same_sums_and_means(tmp_path):
    run_crew(sums_and_means, 3, tmp_path)
    for rank in range(3):
        total, wide, single, large = torch.load(tmp_path / f"{rank}.pt")
        assert total.tolist() == [6.0, 30.0]
        assert wide.tolist() == [[1.0] * 3] * 2
        assert single.item() == 6.0
        assert large.tolist() == [1.5]


def test_a_process_that_ends_ends_the_run(tmp_path):
    with pytest.raises(CrewLostError, match="--resume"):
        run_crew(leaves_early, 3)


@pytest.mark.parametrize("size", [1, 3, 4])
def test_every_item_is_somebodys(size):
    shares = [Crew(rank, size).share(10) for rank in range(size)]
    assert [item for share in shares for item in share] == list(range(10))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
