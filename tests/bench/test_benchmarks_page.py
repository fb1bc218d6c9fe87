"""No figure in docs/benchmarks.md is typed by hand: the page is what the results in the repository make."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import network, page
from small_models import frames_model, save
from unmuffle.models import default_model

ROOT = Path(__file__).parents[2]


def results() -> dict[str, object]:
    return {path.stem: json.loads(path.read_text()) for path in (ROOT / "bench" / "results").glob("*.json")}


def test_the_page_is_made_of_the_results():
    assert page.render(results()) == (ROOT / "docs" / "benchmarks.md").read_text()


def test_every_part_has_been_measured():
    wanted = {
        "quality",
        "speed",
        "long_file",
        "latency",
        "noise_tracking",
        "blind_snr",
        "cache",
        "evaluation",
        "repair",
        "arrays",
        "corpora",
        "corpora_journal",
        "corpora_killed",
        "corpora_words",
        "pool",
        "serve",
        "serve_soak",
    }
    # That one needs a model that ships.
    assert results().keys() - {"network"} == wanted
    assert default_model() is None or "network" in results()


@pytest.fixture
def short(monkeypatch, tmp_path):
    """A small model, on a second of audio."""
    for name, value in {"ROUNDS": 1, "SECONDS": 1, "CHANNELS": 2, "CHANNEL_SECONDS": 1, "COLD_SECONDS": 1}.items():
        monkeypatch.setattr(network, name, value)
    monkeypatch.setattr(network, "call", lambda _module, _function, *arguments: network.seconds_for(*arguments))
    return str(save(frames_model(), tmp_path / "small.onnx"))


def test_a_network_is_measured_in_four_ways(short, monkeypatch):
    own = dict.fromkeys(network.RUNS, ("network",))
    monkeypatch.setattr(network, "RUNS", own)
    figures = network.measure(short)
    assert figures["model"] == "small"
    assert 0.0 < figures["channel_rtf"]["network"] < figures["frame_rtf"]["network"] < 1.0
    assert figures["whole_speed"]["network"] > 1.0
    assert 0.05 < figures["cold_s"]["network"] < 60.0
    shown = page.render({"network": figures | {"date": "today", "machine": "this one"}})
    (row,) = (line for line in shown.splitlines() if line.startswith("| frame by frame, RTF"))
    assert (
        row
        == f"| frame by frame, RTF | {figures['frame_rtf']['network']:.4f} | cannot | cannot | cannot | 0.012 at most |"
    )


def test_errors_of_the_network_stand_beside_those_without():
    found = {"clips": 3, "mean_error_db": 3.04, "median_error_db": 2.0, "bias_db": -1.0}
    figures = {"rates": {"16000": found}, "network": {"16000": found | {"mean_error_db": 2.4}}, "model": "small"}
    shown = page.render({"blind_snr": figures | {"date": "today", "machine": "this one"}})
    assert "| without a network, 16 kHz, 3 clips | 3.0 | 2.0 | -1.0 |" in shown
    assert "| small, 16 kHz, 3 clips | 2.4 | 2.0 | -1.0 |" in shown
