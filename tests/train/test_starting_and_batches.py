"""Where a run begins, what its batches are made by, and what it writes down."""

import contextlib
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch, which training needs, is not installed")

from small_training import SIZES, small_config  # noqa: E402

from unmuffle.errors import InvalidParameterError  # noqa: E402
from unmuffle.train import journal  # noqa: E402
from unmuffle.train.checkpoint import check_same_run, load_checkpoint, save_checkpoint  # noqa: E402
from unmuffle.train.config import NetworkConfig, config_from  # noqa: E402
from unmuffle.train.crew import Crew  # noqa: E402
from unmuffle.train.data.batches import Batches, BatchPlan, MixingLostError  # noqa: E402
from unmuffle.train.data.settings import MixSettings  # noqa: E402
from unmuffle.train.devices import check_device  # noqa: E402
from unmuffle.train.journal import Journal  # noqa: E402
from unmuffle.train.loading import load_network  # noqa: E402
from unmuffle.train.losses import LossWeights, training_loss  # noqa: E402
from unmuffle.train.networks import build_network  # noqa: E402
from unmuffle.train.running import run_training  # noqa: E402
from unmuffle.train.starting import differences_of_networks  # noqa: E402
from unmuffle.train.trainer import Trainer  # noqa: E402


@pytest.fixture
def config(packed):
    return config_from(small_config(packed))


# Starting from another run's weights


def test_a_run_begins_with_the_averaged_weights_of_another(config, packed, tmp_path):
    Trainer(config, tmp_path / "first", Crew()).run(until=3)
    other = config_from(small_config(packed, seed=9, mix={"clean_share": 0.5}, steps=4))
    second = Trainer(other, tmp_path / "second", Crew(), start_from=tmp_path / "first" / "last.pt")
    wanted, _ = load_network(tmp_path / "first" / "last.pt")
    for name, weight in wanted.state_dict().items():
        assert torch.equal(weight, second.network.state_dict()[name]), name
        assert torch.equal(weight, second.averaged.state_dict()[name]), name
    assert second.step == 0
    second.run(until=1)
    state = load_checkpoint(tmp_path / "second" / "last.pt")
    assert state["from"] == {"checkpoint": "last.pt", "step": 3} | {
        key: state["from"][key] for key in ("revision", "data_hash")
    }
    assert json.loads((tmp_path / "second" / "log.jsonl").read_text().splitlines()[0])["from"]["step"] == 3
    again = Trainer(other, tmp_path / "second", Crew(), resume=True)
    assert again.origin == state["from"]


def test_weights_of_another_network_are_refused_with_the_difference_named(config, packed, tmp_path):
    Trainer(config, tmp_path / "first", Crew()).run(until=1)
    wider = config_from(small_config(packed, network={"name": "unmuffle_s", **SIZES, "channels": 12}))
    with pytest.raises(InvalidParameterError, match=r"another one: network\.channels was 8 and is 12"):
        Trainer(wider, tmp_path / "second", Crew(), start_from=tmp_path / "first" / "last.pt")
    assert not (tmp_path / "second").exists()


def test_a_size_left_out_is_its_default():
    assert differences_of_networks(NetworkConfig("unmuffle_s", {"channels": 64}), NetworkConfig("unmuffle_s")) == []
    assert differences_of_networks(NetworkConfig("mask_blstm"), NetworkConfig("mask_blstm", {"causal": True})) == [
        "network.causal was False and is True"
    ]
    assert differences_of_networks(NetworkConfig("mask_blstm"), NetworkConfig("unmuffle_s")) == [
        "network.name was 'mask_blstm' and is 'unmuffle_s'"
    ]


def test_resuming_and_starting_at_once_is_refused(config, tmp_path):
    with pytest.raises(InvalidParameterError, match="either resumed or started"):
        run_training(config, tmp_path, resume=True, start_from=tmp_path / "x.pt")


# Checkpoints of before there were these effects


def test_a_checkpoint_without_the_new_keys_counts_as_having_their_defaults(config, packed, tmp_path):
    Trainer(config, tmp_path, Crew()).run(until=1)
    state = load_checkpoint(tmp_path / "last.pt")
    for key in ("music_share", "wind_share", "keyboard_share", "codec_share", "codecs", "packet_loss_share"):
        del state["config"]["mix"][key]
    del state["from"]
    save_checkpoint(tmp_path / "last.pt", state)
    assert Trainer(config, tmp_path, Crew(), resume=True).step == 1
    windy = config_from(small_config(packed, mix={"wind_share": 0.1}))
    with pytest.raises(InvalidParameterError, match=r"mix\.wind_share was 0\.0 and is 0\.1"):
        check_same_run(state, windy, state["data_hash"])


# Batches


def plan(packed, share=0.4):
    return BatchPlan(packed, MixSettings(), 0.3, share, 5, range(3))


def test_workers_make_the_batches_that_this_process_would_make(packed):
    alone, together = Batches(plan(packed)), Batches(plan(packed), workers=2)
    with contextlib.closing(together):
        for number, one, other in zip(range(7), alone.from_step(4), together.from_step(4), strict=False):
            assert one[2] == other[2], number
            assert np.array_equal(one[0], other[0])
            assert np.array_equal(one[1], other[1])


def test_a_run_with_workers_is_the_run_without(config, tmp_path):
    states = []
    for workers in (0, 2):
        run_training(config, tmp_path / str(workers), until=3, workers=workers)
        states.append(load_checkpoint(tmp_path / str(workers) / "last.pt")["network"])
    assert all(torch.equal(weight, states[1][name]) for name, weight in states[0].items())


def test_a_worker_that_dies_is_told(packed):
    batches = Batches(plan(packed), workers=1)
    for process in batches._workers._processes:
        process.kill()
        process.join()
    with pytest.raises(MixingLostError, match="has ended"):
        next(batches.from_step(0))
    batches.close()


def test_the_share_of_full_band_steps_is_the_one_asked_for(packed):
    rates = [plan(packed, 0.25).rate(step) for step in range(2_000)]
    assert np.mean(np.array(rates) == 48_000) == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"processes": 2, "workers": 1}, "workers must be 0 with 2 processes"),
        ({"processes": 2, "device": "cuda"}, "processes must be 1 on cuda"),
        ({"device": "tpu"}, "device must be cpu, cuda or cuda:NUMBER, not 'tpu'"),
        ({"device": "cuda:x"}, "device must be cpu, cuda or cuda:NUMBER, not 'cuda:x'"),
        ({"device": "cuda:99"}, "there is no device cuda:99 here"),
    ],
)
def test_what_cannot_be_run_is_told(config, tmp_path, options, complaint):
    with pytest.raises(InvalidParameterError, match=complaint):
        run_training(config, tmp_path, **options)


# Devices


def test_the_processor_is_a_device():
    assert check_device("cpu").type == "cpu"


@pytest.mark.parametrize("rate", [16_000, 48_000])
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("unmuffle_s", SIZES),
        ("mask_blstm", {"units": 8}),
        ("conv_tasnet", {"n": 16, "b": 8, "h": 16, "x": 3, "r": 1, "skip": 8}),
    ],
)
def test_nothing_in_a_step_stays_behind_on_the_processor(monkeypatch, name, sizes, rate):
    # The meta device knows shapes and places and no values: a tensor that was left on the processor is an error there.
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    network = build_network(name, **sizes).to("meta")
    noisy, target = torch.empty(2, 8_000, device="meta"), torch.empty(2, 8_000, device="meta")
    loss, _ = training_loss(network.enhance(noisy, rate), noisy, target, rate, LossWeights(si_sdr=1.0))
    loss.backward()
    assert loss.device.type == "meta"
    assert any(weight.grad is not None for weight in network.parameters())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_trains_as_the_processor_does(config, tmp_path):
    losses = []
    for device in ("cpu", "cuda"):
        trainer = Trainer(config, tmp_path / device, Crew(), device)
        losses.append(trainer._train_step(next(trainer.batches.from_step(0)))["loss"])
        trainer.run(until=3)
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert Trainer(config, tmp_path / "cuda", Crew(), "cpu", resume=True).step == 3


# The journal


def test_the_journal_is_kept_without_tensorboard(monkeypatch, tmp_path):
    monkeypatch.setattr(journal, "find_spec", lambda _: None)
    book = Journal(tmp_path / "run")
    book.note({"step": 1, "loss": 0.5, "config": {"seed": 1}})
    book.close()
    assert json.loads((tmp_path / "run" / "log.jsonl").read_text()) == {"step": 1, "loss": 0.5, "config": {"seed": 1}}
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["log.jsonl"]


def test_curves_are_named_by_their_tables():
    entry = {"loss": 0.5, "validation": {"estoi": 0.7, "pesq": 2}, "data_hash": "x", "resumed": True}
    assert journal._numbers(entry) == [("train/loss", 0.5), ("validation/estoi", 0.7), ("validation/pesq", 2.0)]


def test_tensorboard_has_the_curves(tmp_path):
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    book = Journal(tmp_path)
    for step in (1, 2):
        book.note({"step": step, "loss": 1 / step, "validation": {"estoi": 0.5}})
    book.close()
    found = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert set(found.Tags()["scalars"]) == {"train/loss", "validation/estoi"}
    assert [(point.step, point.value) for point in found.Scalars("train/loss")] == [(1, 1.0), (2, 0.5)]
