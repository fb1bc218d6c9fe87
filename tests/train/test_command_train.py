import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch, which training needs, is not installed")

import soundfile
from small_training import SIZES, make_corpus
from typer.testing import CliRunner

import unmuffle.train.extra
from unmuffle.cli.app import app

SIZES_TOML = "\n".join(f"{key} = {value}" for key, value in SIZES.items())
CONFIG = f"""
steps = 500
half_precision = false
checkpoint_every_s = 3600.0
[network]
name = "unmuffle_s"
{SIZES_TOML}
[data]
clips = 2
seconds = 0.5
full_band_share = 0.0
[validation]
every_steps = 10000
"""


def train(*arguments: object):
    result = CliRunner().invoke(app, ["train", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    speech, noise = make_corpus(folder)
    done = train("prepare", folder / "packed", "--speech", speech, "--noise", noise, "--simulated-rooms", 3,
                 "--validation-share", 0)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "speech: 6 recordings of 6" in done.stdout
    (folder / "small.toml").write_text(CONFIG)
    return folder


def test_run_and_evaluate(folder, tmp_path):
    run = tmp_path / "run"
    options = (folder / "small.toml", "--data", folder / "packed", "--work", run)
    assert train("run", *options, "--until", 2).exit_code == 0
    again = train("run", *options, "--until", 3)
    assert again.exit_code == 1
    assert "--resume" in again.stderr
    assert train("run", *options, "--until", 3, "--resume").exit_code == 0

    for side in ("clean", "noisy"):
        (tmp_path / "pairs" / side).mkdir(parents=True)
        soundfile.write(tmp_path / "pairs" / side / "a.wav", *soundfile.read(folder / "speech" / "talker1" / "a.wav"))
    scored = train("evaluate", run / "last.pt", tmp_path / "pairs")
    assert "step 3, mean of 1 pairs" in scored.stdout
    assert "clean_si_sdr_db" in scored.stdout


def test_listen_writes_pairs_to_hear(folder, tmp_path):
    done = train("listen", folder / "small.toml", tmp_path, "--data", folder / "packed", "--clips", 2)
    assert done.exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "000-noisy.wav", "000-target.wav", "001-noisy.wav", "001-target.wav",
    ]  # fmt: skip
    assert soundfile.info(tmp_path / "000-noisy.wav").frames == 8_000


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "no-such-config", "--data", "{folder}/packed"], "no-such-config"),
        (["run", "unmuffle_s", "--data", "{folder}/speech"], "unmuffle train prepare"),
        (["run", "unmuffle_s"], "data.packed is missing"),
        (["run", "{folder}/small.toml", "--data", "{folder}/packed", "--processes", "9"], "data.clips, which is 2"),
    ],
)
def test_mistakes_end_with_one_line(folder, tmp_path, arguments, complaint):
    done = train(*(text.format(folder=folder) for text in arguments), "--work", tmp_path / "run")
    assert done.exit_code == 1
    assert done.stderr.startswith("unmuffle: ")
    assert complaint in done.stderr


def test_a_missing_package_is_named(monkeypatch, folder, tmp_path):
    monkeypatch.setattr(unmuffle.train.extra, "find_spec", lambda _: None)
    done = train("run", folder / "small.toml", "--data", folder / "packed", "--work", tmp_path)
    assert done.exit_code == 1
    assert 'pip install "unmuffle[train]"' in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM to be handled there")
@pytest.mark.parametrize("processes", [1, 2])
def test_a_terminated_run_ends_with_a_checkpoint(folder, tmp_path, processes):
    from unmuffle.train.checkpoint import load_checkpoint

    command = [sys.executable, "-m", "unmuffle", "train", "run", folder / "small.toml", "--data", folder / "packed",
               "--work", tmp_path, "--processes", str(processes)]  # fmt: skip
    child = subprocess.Popen([str(word) for word in command], stderr=subprocess.DEVNULL)
    log = tmp_path / "log.jsonl"
    # Once a step has been logged the signals are heeded.
    latest = time.monotonic() + 120
    while child.poll() is None and time.monotonic() < latest:
        if log.exists() and '"real_time"' in log.read_text():
            break
        time.sleep(0.05)
    child.terminate()
    assert child.wait(timeout=60) == 0
    state = load_checkpoint(tmp_path / "last.pt")
    assert 25 <= state["step"] < 500
    assert not list(Path(tmp_path).glob("*.part"))
    assert json.loads(log.read_text().splitlines()[0])["processes"] == processes
