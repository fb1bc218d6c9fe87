"""Finding models: those that ship, with their cards, and those that a user names."""

from __future__ import annotations

import pytest

from small_models import frames_model, save, save_card
from unmuffle.errors import InvalidParameterError, ModelError
from unmuffle.models import default_model, find_model, list_models, shelf


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shelf, "FOLDER", tmp_path)
    return tmp_path


def test_an_empty_shelf(folder):
    assert list_models() == ()
    assert default_model() is None
    with pytest.raises(InvalidParameterError, match="no model 'small'; there are: none in this version"):
        find_model("small")


def test_what_ships_is_whole():
    for model in list_models():
        assert model.path.is_file()
        assert model.shipped
    assert sum(model.card.default for model in list_models()) <= 1


def test_models_are_found_by_name(folder):
    for name in ("small_one", "other"):
        save_card(save(frames_model(), folder / f"{name}.onnx"), name=name, default=name == "other")
    assert [model.name for model in list_models()] == ["other", "small_one"]
    assert default_model().name == "other"
    for given in ("small_one", "SMALL-one", " small-One "):
        found = find_model(given)
        assert (found.name, found.path, found.shipped) == ("small_one", folder / "small_one.onnx", True)
    with pytest.raises(InvalidParameterError, match=r"did you mean small_one\?\); there are: other, small_one"):
        find_model("smal_one")


def test_the_card_is_read(folder):
    path = save(frames_model(), folder / "a.onnx")
    save_card(path, latency_ms=32, training_data=["one (CC0)", "two"], licence="MIT", figures={"pesq": 2.5})
    card = find_model("a").card
    assert (card.name, card.version, card.summary, card.licence) == ("a", "7", "a small one", "MIT")
    assert (card.latency_ms, card.training_data, card.figures) == (32, ("one (CC0)", "two"), {"pesq": 2.5})
    assert not card.default


def test_a_file_is_found_by_its_path(folder, tmp_path):
    path = save(frames_model(), tmp_path / "deeper" / "own.onnx")
    for given in (path, str(path)):
        found = find_model(given)
        assert (found.name, found.path, found.card, found.shipped) == ("own", path, None, False)
    save_card(path, version="2")
    assert find_model(path).card.version == "2"


@pytest.mark.parametrize("given", ["missing.onnx", "some/where", "MISSING.ONNX"])
def test_a_file_that_is_not_there(folder, given):
    with pytest.raises(ModelError, match=f"the model {given} does not exist"):
        find_model(given)


def test_a_folder_is_no_file(folder, tmp_path):
    with pytest.raises(ModelError, match="is a folder"):
        find_model(tmp_path)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"sha256": None}, "has no entry 'sha256'"),
        ({"colour": "red"}, "has an entry 'colour'"),
        ({"version": 3}, "version is 3; it must be of type str"),
        ({"default": "yes"}, "default is 'yes'; it must be of type bool"),
    ],
)
def test_a_card_that_is_wrong(folder, entries, said):
    save_card(save(frames_model(), folder / "a.onnx"), **entries)
    with pytest.raises(ModelError, match=said):
        list_models()


def test_a_card_that_is_no_toml(folder):
    (folder / "a.card.toml").write_text("name = ")
    with pytest.raises(ModelError, match=r"a\.card\.toml cannot be read"):
        list_models()
