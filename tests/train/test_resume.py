import json

import pytest

torch = pytest.importorskip("torch", reason="torch, which training needs, is not installed")

from small_training import small_config  # noqa: E402

from unmuffle.errors import AudioFileError, InvalidParameterError, OutputExistsError  # noqa: E402
from unmuffle.train.config import config_from  # noqa: E402
from unmuffle.train.crew import Crew  # noqa: E402
from unmuffle.train.loading import load_network  # noqa: E402
from unmuffle.train.running import run_training  # noqa: E402
from unmuffle.train.trainer import Trainer, TrainingDivergedError  # noqa: E402


class WatchedTrainer(Trainer):
    """Notes the loss of every step to the last bit."""

    def __init__(self, *arguments, **options):
        self.losses = []
        super().__init__(*arguments, **options)

    def _train_step(self, batch):
        values = super()._train_step(batch)
        self.losses.append((self.step, values["loss"], values["gradient_norm"]))
        return values


@pytest.fixture
def config(packed):
    return config_from(small_config(packed))


def test_a_resumed_run_is_the_run_that_was_not_interrupted(config, tmp_path):
    whole = WatchedTrainer(config, tmp_path / "whole", Crew())
    whole.run()
    before = WatchedTrainer(config, tmp_path / "parts", Crew())
    before.run(until=3)
    after = WatchedTrainer(config, tmp_path / "parts", Crew(), resume=True)
    after.run()
    assert before.losses + after.losses == whole.losses
    assert len(whole.losses) == 8
    for name, weight in whole.averaged.state_dict().items():
        assert torch.equal(weight, after.averaged.state_dict()[name]), name


def test_training_learns(packed, tmp_path):
    tree = small_config(packed, steps=40, optimiser={"warm_up_steps": 5, "learning_rate": 3e-3})
    tree["mix"] = {"snr_db": [0.0, 0.0], "easy_share": 0.0, "hard_share": 0.0, "clean_share": 0.0, "noise_share": 0.0}
    trainer = WatchedTrainer(config_from(tree), tmp_path / "run", Crew())
    trainer.run()
    losses = [loss for _, loss, _ in trainer.losses]
    assert sum(losses[-8:]) < 0.85 * sum(losses[:8])


@pytest.mark.parametrize(
    ("network", "loss"),
    [
        ({"name": "mask_blstm", "units": 16, "causal": True, "target": "irm"}, {"mask": 1.0, "magnitude": 0.0}),
        ({"name": "conv_tasnet", "n": 16, "b": 8, "h": 16, "x": 3, "r": 1, "skip": 8}, {"si_sdr": 1.0}),
    ],
)
def test_the_classic_networks_learn_in_the_same_trainer(packed, tmp_path, network, loss):
    mix = {"snr_db": [0.0, 0.0], "easy_share": 0.0, "hard_share": 0.0, "clean_share": 0.0, "noise_share": 0.0}
    tree = small_config(packed, steps=40, mix=mix, network=network, optimiser={"warm_up_steps": 5})
    tree["data"]["full_band_share"] = 0.0
    terms = ("magnitude", "complex", "consistency", "waveform", "over_suppression", "si_sdr", "mask")
    tree["loss"] = dict.fromkeys(terms, 0.0) | loss
    trainer = WatchedTrainer(config_from(tree), tmp_path / "run", Crew())
    trainer.run()
    losses = [value for _, value, _ in trainer.losses]
    assert sum(losses[-8:]) < sum(losses[:8])


def test_two_processes_make_the_step_of_one(config, tmp_path):
    trees = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        run_training(config, folder, processes, until=1)
        trees.append(torch.load(folder / "last.pt", weights_only=True)["optimiser"]["state"])
    # The first moment after one step is a tenth of the clipped gradient. Batch norms see half of the batch each.
    one, two = (torch.cat([state[n]["exp_avg"].flatten() for n in sorted(state)]) for state in trees)
    assert torch.dot(one, two) / (one.norm() * two.norm()) > 0.8


def test_another_config_is_refused_with_the_difference_named(config, packed, tmp_path):
    Trainer(config, tmp_path, Crew()).run(until=1)
    changed = small_config(packed, seed=7, optimiser={"warm_up_steps": 2, "learning_rate": 0.1})
    with pytest.raises(InvalidParameterError, match=r"learning_rate was 0.002 and is 0.1; seed was 1 and is 7"):
        Trainer(config_from(changed), tmp_path, Crew(), resume=True)


def test_a_trapezoid_may_be_made_longer_before_it_cools_down(packed, tmp_path):
    trapezoid = {"schedule": "trapezoid", "cool_down_share": 0.5, "warm_up_steps": 1}
    Trainer(config_from(small_config(packed, optimiser=trapezoid)), tmp_path, Crew()).run(until=2)
    longer = config_from(small_config(packed, optimiser=trapezoid, steps=12))
    assert Trainer(longer, tmp_path, Crew(), resume=True).step == 2
    shorter = config_from(small_config(packed, optimiser=trapezoid, steps=2))
    with pytest.raises(InvalidParameterError, match="steps was 8 and is 2"):
        Trainer(shorter, tmp_path, Crew(), resume=True)


def test_other_data_are_refused(config, packed, tmp_path):
    Trainer(config, tmp_path / "run", Crew()).run(until=1)
    table = json.loads((packed / "corpus.json").read_text())
    copy = tmp_path / "packed"
    copy.mkdir()
    for file in packed.glob("*.i16"):
        (copy / file.name).symlink_to(file)
    (copy / "corpus.json").write_text(json.dumps(table | {"hash": "other"}))
    with pytest.raises(InvalidParameterError, match="packed corpora were"):
        Trainer(config_from(small_config(copy)), tmp_path / "run", Crew(), resume=True)


def test_a_run_is_not_begun_on_top_of_another(config, tmp_path):
    Trainer(config, tmp_path, Crew()).run(until=1)
    with pytest.raises(OutputExistsError, match="--resume"):
        Trainer(config, tmp_path, Crew())


def test_resuming_nothing_or_rubbish_is_an_error(config, tmp_path):
    with pytest.raises(AudioFileError, match="does not exist"):
        Trainer(config, tmp_path, Crew(), resume=True)
    (tmp_path / "last.pt").write_bytes(b"rubbish")
    with pytest.raises(AudioFileError, match="damaged"):
        Trainer(config, tmp_path, Crew(), resume=True)


def test_steps_that_are_not_finite_are_left_out_and_many_end_the_run(config, tmp_path):
    trainer = Trainer(config, tmp_path, Crew())
    before = {name: weight.clone() for name, weight in trainer.network.named_parameters()}
    for _ in range(19):
        trainer._update({"loss": float("nan"), "gradient_norm": 1.0})
    assert all(torch.equal(weight, before[name]) for name, weight in trainer.network.named_parameters())
    with pytest.raises(TrainingDivergedError, match="20 steps in a row"):
        trainer._update({"loss": 1.0, "gradient_norm": float("inf")})


def test_a_checkpoint_gives_the_averaged_network_back(config, tmp_path):
    trainer = Trainer(config, tmp_path, Crew())
    trainer.run(until=2)
    network, state = load_network(tmp_path / "last.pt")
    assert state["step"] == 2
    clip = torch.randn(1, 4_000)
    with torch.no_grad():
        wanted = trainer.averaged.enhance(clip, 16_000).waveform
        assert torch.equal(network.enhance(clip, 16_000).waveform, wanted)


def test_the_log_tells_config_and_validation(packed, tmp_path):
    tree = small_config(packed, steps=2, validation={"every_steps": 2, "clips": 2, "seconds": 1.0})
    from small_training import make_corpus

    from unmuffle.train.data.packing import pack

    speech, noise = make_corpus(tmp_path, talkers=10, rate=16_000)
    pack({"speech": [speech], "noise": [noise, speech]}, tmp_path / "packed", validation_share=0.5, simulated_rooms=0)
    tree["data"] |= {"packed": str(tmp_path / "packed"), "full_band_share": 0.0}
    Trainer(config_from(tree), tmp_path / "run", Crew()).run()
    entries = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert entries[0]["config"]["network"]["name"] == "unmuffle_s"
    assert {"clean_si_sdr_db", "si_sdr_db"} <= entries[-1]["validation"].keys()
    assert (tmp_path / "run" / "best.pt").exists()
