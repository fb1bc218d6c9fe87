import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch, which training needs, is not installed")

import numpy as np
import soundfile
from rich.console import Console
from small_training import SIZES, make_corpus
from typer.testing import CliRunner

import unmuffle.train.extra
from unmuffle.cli import training_bar
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
                 "--validation-share", 0, "--no-check")  # fmt: skip
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
        (["run", "{folder}/small.toml", "--data", "{folder}/packed", "--device", "cuda:42"], "no device cuda:42 here"),
        (["run", "{folder}/small.toml", "--data", "{folder}/packed", "--from", "{folder}/none.pt"], "none.pt"),
        (["run", "{folder}/small.toml", "--data", "{folder}/packed", "--processes", "9"], "data.clips, which is 2"),
    ],
)
def test_mistakes_end_with_one_line(folder, tmp_path, arguments, complaint):
    done = train(*(text.format(folder=folder) for text in arguments), "--work", tmp_path / "run")
    assert done.exit_code == 1
    assert done.stderr.startswith("unmuffle: ")
    assert complaint in done.stderr


def test_a_run_is_begun_with_the_weights_of_another(folder, tmp_path):
    options = (folder / "small.toml", "--data", folder / "packed")
    assert train("run", *options, "--work", tmp_path / "first", "--until", 1).exit_code == 0
    own = folder / "own.toml"
    own.write_text(CONFIG.replace("steps = 500", "steps = 7") + "[mix]\nclean_share = 0.3\n")
    begun = train("run", own, "--data", folder / "packed", "--work", tmp_path / "own", "--until", 1,
                  "--from", tmp_path / "first" / "last.pt")  # fmt: skip
    assert begun.exit_code == 0, begun.output
    first = json.loads((tmp_path / "own" / "log.jsonl").read_text().splitlines()[0])
    assert first["from"]["step"] == 1
    other = train("run", "mask_blstm", "--data", folder / "packed", "--work", tmp_path / "other",
                  "--from", tmp_path / "first" / "last.pt")  # fmt: skip
    assert other.exit_code == 1
    assert "network.name was 'unmuffle_s' and is 'mask_blstm'" in other.stderr


def test_resuming_with_another_config_is_refused_with_the_difference_named(folder, tmp_path):
    options = ("--data", folder / "packed", "--work", tmp_path, "--until", 2)
    assert train("run", folder / "small.toml", *options).exit_code == 0
    (folder / "other.toml").write_text(CONFIG + "[optimiser]\nlearning_rate = 0.5\n")
    refused = train("run", folder / "other.toml", *options, "--resume")
    assert refused.exit_code == 1
    assert "optimiser.learning_rate was 0.002 and is 0.5" in refused.stderr


def prepare(folder, speech, noise, *options):
    return train("prepare", folder / "packed", "--speech", speech, "--noise", noise, "--simulated-rooms", 0, *options)


def test_a_broken_file_is_left_out_by_name(tmp_path, caplog):
    speech, noise = make_corpus(tmp_path)
    (speech / "talker0" / "torn.wav").write_bytes(b"RIFF0000WAVEnothing")
    (speech / "talker2" / "a.wav").write_bytes(b"")
    done = prepare(tmp_path, speech, noise, "--no-check")
    assert done.exit_code == 0
    assert "speech: 5 recordings of 5" in done.stdout
    assert "torn.wav" in caplog.text
    assert str(speech / "talker2" / "a.wav") in caplog.text


def test_unfit_speech_is_left_out_by_name(tmp_path, caplog):
    speech, noise = make_corpus(tmp_path, talkers=2)
    voices = [soundfile.read(speech / f"talker{number}" / "a.wav")[0] for number in range(2)]
    for number, voice in enumerate(voices):
        hiss = np.random.default_rng(number).standard_normal(voice.size)
        for name, level in (("talker", 0.001), ("noisy", 0.1)):
            (speech / f"{name}{number}").mkdir(exist_ok=True)
            soundfile.write(speech / f"{name}{number}" / "a.wav", 0.5 * voice + level * hiss, 16_000)
    done = prepare(tmp_path, speech, noise)
    assert "speech: 2 recordings of 2" in done.stdout
    assert "noisy0" in caplog.text
    assert "dB below the loud ones" in caplog.text


def test_nobody_held_out_is_told_before_the_run_and_does_not_end_it(folder, tmp_path, caplog):
    short = folder / "short.toml"
    short.write_text(CONFIG.replace("steps = 500", "steps = 2").replace("every_steps = 10000", "every_steps = 1"))
    assert train("run", short, "--data", folder / "packed", "--work", tmp_path).exit_code == 0
    assert "without validation and without best.pt" in caplog.text
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == ["last.pt"]


def test_one_talker_only_ends_the_run_with_one_line(folder, tmp_path):
    speech, noise = make_corpus(tmp_path, talkers=1)
    assert prepare(tmp_path, speech, noise, "--no-check", "--validation-share", 0).exit_code == 0
    done = train("run", folder / "small.toml", "--data", tmp_path / "packed", "--work", tmp_path / "run")
    assert done.exit_code == 1
    assert "one talker only at 16000 Hz for train: babble needs two or more" in done.stderr
    assert not (tmp_path / "run" / "last.pt").exists()


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000])
def test_any_rate_can_be_packed_and_trained_on(folder, tmp_path, rate):
    speech, noise = make_corpus(tmp_path, talkers=2, rate=rate)
    assert prepare(tmp_path, speech, noise, "--no-check", "--validation-share", 0).exit_code == 0
    options = ("--data", tmp_path / "packed", "--work", tmp_path / "run", "--until", 1)
    assert train("run", folder / "small.toml", *options).exit_code == 0


def test_speech_that_is_not_full_band_is_named_by_a_full_band_run(folder, tmp_path):
    speech, noise = make_corpus(tmp_path, talkers=2)
    assert prepare(tmp_path, speech, noise, "--no-check", "--validation-share", 0).exit_code == 0
    wide = folder / "full_band.toml"
    wide.write_text(CONFIG.replace("full_band_share = 0.0", "full_band_share = 0.5"))
    done = train("run", wide, "--data", tmp_path / "packed", "--work", tmp_path / "run")
    assert done.exit_code == 1
    assert "holds no speech at 48000 Hz for train" in done.stderr


def test_an_empty_noise_folder_ends_with_one_line(tmp_path):
    speech, noise = make_corpus(tmp_path)
    (tmp_path / "empty").mkdir()
    done = prepare(tmp_path, speech, tmp_path / "empty")
    assert done.exit_code == 1
    assert f"{tmp_path / 'empty'} holds no audio to train on" in done.stderr
    for file in noise.iterdir():
        file.write_bytes(b"nothing")
    done = prepare(tmp_path, speech, noise, "--no-check")
    assert done.exit_code == 1
    assert "none of the 6 recordings of noise can be used" in done.stderr


def test_music_is_packed_apart(tmp_path):
    speech, noise = make_corpus(tmp_path, talkers=2)
    done = prepare(tmp_path, speech, noise, "--music", noise, "--no-check")
    assert "music: 6 recordings of 6" in done.stdout


def test_the_bar_tells_step_loss_and_speed(monkeypatch):
    screen = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr(training_bar, "messages", screen)
    with training_bar.TrainingBar(60) as bar:
        for step in (11, 12):
            bar.watch(step, 0.25, 103.4)
            bar._bar.refresh()
    shown = screen.file.getvalue()
    assert "12/60" in shown
    assert "loss 0.2500, 103 x real time" in shown


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
