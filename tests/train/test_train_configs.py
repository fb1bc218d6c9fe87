from math import isclose
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch, which training needs, is not installed")

from small_training import small_config

import unmuffle.train.config as config_module
from unmuffle.errors import InvalidParameterError
from unmuffle.train.config import as_tree, config_from, differences, read_config
from unmuffle.train.networks import build_network
from unmuffle.train.schedule import Plateau, learning_rate

SHIPPED = sorted((Path(config_module.__file__).parent / "configs").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configs_can_be_trained(path):
    config = read_config(path, Path("packed"))
    build_network(config.network.name, **config.network.sizes)


def test_there_is_a_config_for_every_network():
    assert {read_config(path, Path("packed")).network.name for path in SHIPPED} == {
        "unmuffle_s", "mask_blstm", "conv_tasnet",
    }  # fmt: skip


def test_a_config_survives_the_way_through_its_tree():
    config = config_from(small_config(Path("packed")))
    assert config_from(as_tree(config)) == config
    assert differences(config, config_from(as_tree(config)), 0) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"stepps": 3}, "stepps does not exist; there are network, data, steps"),
        ({"mix": {"snr": 3}}, "mix.snr does not exist"),
        ({"network": {}}, "network.name is missing"),
        ({"data": {}}, "data.packed is missing"),
        ({"steps": 0}, "steps must be above 0"),
        ({"optimiser": {"schedule": "step"}}, "must be one of cosine, trapezoid, plateau, not 'step'"),
        ({"loss": 3}, "loss must be a table"),
        ({"mix": {"codec_share": 1.5}}, "mix.codec_share must be 0 to 1, not 1.5"),
        ({"mix": {"snr_db": [5, -5]}}, "mix.snr_db must be two numbers, the lower first"),
        ({"mix": {"wind_share": 0.5, "babble_share": 0.6}}, "add up to 1.18: they are parts of all noises"),
    ],
)
def test_mistakes_are_named(change, complaint):
    with pytest.raises(InvalidParameterError, match=complaint):
        config_from(small_config(Path("packed")) | change)


def test_what_is_not_toml_is_named(tmp_path):
    (tmp_path / "bad.toml").write_text("steps = = 3")
    with pytest.raises(InvalidParameterError, match=r"bad\.toml is not TOML"):
        read_config(tmp_path / "bad.toml")


def rates(schedule, steps=100, **settings):
    tree = small_config(Path("packed"), steps=steps)
    tree["optimiser"] = {"schedule": schedule, "learning_rate": 1.0, "final_learning_rate": 0.1, "warm_up_steps": 10}
    tree["optimiser"] |= settings
    config = config_from(tree)
    return [learning_rate(config, step, 0) for step in range(steps + 1)]


def test_rates_warm_up_and_fall():
    cosine, trapezoid = rates("cosine"), rates("trapezoid", cool_down_share=0.2)
    for found in (cosine, trapezoid):
        assert isclose(found[4], 0.5, rel_tol=0.02)
        assert isclose(found[100], 0.1)
    assert isclose(cosine[50], 0.55)
    assert trapezoid[80] == trapezoid[10] == 1
    assert isclose(trapezoid[90], 0.55)


def test_a_plateau_halves_after_its_patience():
    plateau = Plateau(patience=3)
    for quality in (1.0, 2.0, 1.9, 1.9, 1.9, 2.5, 2.4):
        plateau.see(quality)
    assert plateau.halvings == 1
    again = Plateau(patience=3)
    again.restore(plateau.state())
    for quality in (2.4, 2.3):
        again.see(quality)
    assert again.halvings == 2
