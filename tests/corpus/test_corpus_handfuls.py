"""Clips by the handful: none is worse off for its neighbours, and none waits for another's reading or writing."""

from __future__ import annotations

import dataclasses
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from unmuffle import Enhancer
from unmuffle.corpus import RunOptions, clips_of, handfuls, run
from unmuffle.corpus.clip import Clip
from unmuffle.corpus.clip_work import ClipSettings
from unmuffle.corpus.handfuls import do_clips
from unmuffle.enhancer.side_by_side import LONGEST_S
from unmuffle.errors import ModelError

RATE = 16_000


@dataclasses.dataclass(frozen=True)
class DeadlyEnhancer(Enhancer):
    """Kills its process, as the system does when memory runs out, at a clip of two channels of that name."""

    def enhance_file(self, source, *arguments, **options):
        if Path(source).stem == "deadly":
            os._exit(9)
        return super().enhance_file(source, *arguments, **options)


@pytest.fixture
def corpus(tmp_path, noisy_speech, write_file):
    """Clips of many lengths, of two rates, in two channels, and one that is too long to be held."""
    folder = tmp_path / "corpus"
    for seed in range(20):
        write_file(
            folder / f"{seed:02d}.wav", noisy_speech(RATE, seconds=0.4 + 0.11 * (7 * seed % 20), seed=seed), RATE
        )
    for seed in range(3):
        write_file(folder / f"eight_{seed}.flac", noisy_speech(8000, seconds=1.0, seed=seed), 8000)
    write_file(folder / "stereo.wav", noisy_speech(RATE, channels=2, seconds=1.0), RATE)
    write_file(
        folder / "long.wav", np.tile(noisy_speech(8000, seconds=4.0), (1, 8))[:, : int(8000 * LONGEST_S) + 7], 8000
    )
    return folder


def settings(out, **changes):
    return dataclasses.replace(ClipSettings(out, out / "work", Enhancer(), measures=()), **changes)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    "enhancer",
    [
        Enhancer(),
        Enhancer("log_mmse", strength=0.7),
        Enhancer("om_lsa", max_attenuation_db=12.0),
        Enhancer(noise_profile=(0.0, 0.2)),
        Enhancer(strength="auto"),
        Enhancer(chain="highpass,denoise"),
    ],
    ids=["network", "log_mmse", "om_lsa", "own noise", "auto strength", "chain"],
)
def test_clips_become_what_they_would_alone_to_the_byte(corpus, tmp_path, enhancer):
    out = tmp_path / "out"
    clips = list(clips_of(corpus, out))
    told = dict(do_clips(settings(out, enhancer=enhancer), clips))
    assert sorted(told) == list(range(25))
    for number, clip in enumerate(clips):
        report = enhancer.enhance_file(clip.source, tmp_path / "alone" / clip.output)
        record = told[number].record
        assert (record["duration_s"], record["channels"], record["warnings"]) == (report.seconds, report.channels, [])
        assert 0.0 < record["elapsed_s"] < 60.0
    assert contents(out) == contents(tmp_path / "alone")
    assert not list((out / "work").iterdir())


def test_clips_of_one_length_go_through_the_network_together(corpus, tmp_path, monkeypatch):
    batches = []

    def watched(batch, processor):
        batches.append([clip.audio.shape[1] / clip.info.sample_rate for clip in batch])
        return real(batch, processor)

    real = handfuls.enhance_side_by_side
    monkeypatch.setattr(handfuls, "enhance_side_by_side", watched)
    list(do_clips(settings(tmp_path / "out"), list(clips_of(corpus, tmp_path / "out"))))
    assert sum(map(len, batches)) == 23
    assert len(batches) <= 12
    assert all(max(seconds) <= 1.2 * min(seconds) for seconds in batches)


def test_the_next_clips_are_fetched_while_the_last_are_enhanced(corpus, tmp_path, monkeypatch):
    later = threading.Event()
    fetch, enhance = handfuls.fetch, handfuls.enhance_side_by_side

    def watched_fetch(settings, clip):
        fetched = fetch(settings, clip)
        if clip.key == "10.wav":
            later.set()
        return fetched

    def waiting(batch, processor):
        assert later.wait(30.0), "nothing is fetched while a batch is enhanced"
        return enhance(batch, processor)

    monkeypatch.setattr(handfuls, "_WINDOW", 4)
    monkeypatch.setattr(handfuls, "fetch", watched_fetch)
    monkeypatch.setattr(handfuls, "enhance_side_by_side", waiting)
    told = list(do_clips(settings(tmp_path / "out"), list(clips_of(corpus, tmp_path / "out"))))
    assert all(outcome.record for _, outcome in told)


def test_what_is_made_is_put_in_place_while_the_next_is_enhanced(corpus, tmp_path, monkeypatch):
    written = threading.Event()
    finish, enhance = handfuls.finish, handfuls.enhance_side_by_side
    batches = []

    def watched_finish(*arguments):
        record = finish(*arguments)
        written.set()
        return record

    def waiting(batch, processor):
        batches.append(batch)
        assert len(batches) < 3 or written.wait(30.0), "nothing is written before all is enhanced"
        return enhance(batch, processor)

    monkeypatch.setattr(handfuls, "finish", watched_finish)
    monkeypatch.setattr(handfuls, "enhance_side_by_side", waiting)
    list(do_clips(settings(tmp_path / "out"), list(clips_of(corpus, tmp_path / "out"))))


def test_a_batch_that_fails_is_done_clip_by_clip(corpus, tmp_path, monkeypatch):
    def failing(batch, processor):
        raise ModelError("the model x fails on 16 frames")

    monkeypatch.setattr(handfuls, "enhance_side_by_side", failing)
    told = list(do_clips(settings(tmp_path / "out"), list(clips_of(corpus, tmp_path / "out"))))
    assert len(told) == 25
    assert all(outcome.record for _, outcome in told)


def test_a_clip_that_kills_its_process_takes_no_neighbour_with_it(corpus, tmp_path):
    (corpus / "stereo.wav").rename(corpus / "deadly.wav")
    report = run(
        corpus, tmp_path / "out", enhancer=DeadlyEnhancer("wiener"), measures=(), options=RunOptions(workers=1)
    )
    assert (report.done, report.failures, report.left) == (24, {"died": 1}, 0)
    row = (tmp_path / "out" / "quarantine.jsonl").read_text()
    assert "deadly.wav" in row
    assert "exit code 9" in row


@pytest.mark.parametrize(("count", "workers"), [(0, 1), (1, 8), (100, 4), (1000, 4)])
def test_handfuls_hold_every_clip_once_and_get_small_towards_the_end(count, workers):
    clips = [Clip(f"{number}", "x.wav", "x.wav", {"duration": 1.0}) for number in range(count)]
    shares = list(handfuls.handfuls(iter(clips), count, workers))
    assert [clip for share in shares for clip in share] == clips
    assert max(map(len, shares), default=0) == min(48, max(1, count // (4 * workers)), count)
    assert all(len(share) == 1 for share in shares[-4 * workers :])


def test_a_handful_is_a_few_minutes_however_its_clips_tell_their_length(tmp_path):
    (tmp_path / "x.wav").write_bytes(bytes(3_200_000))
    (tmp_path / "x.mp3").write_bytes(bytes(400_000))
    kinds = {
        "of a file": Clip("a", str(tmp_path / "x.wav"), "a.wav"),
        "of a packed file": Clip("b", str(tmp_path / "x.mp3"), "b.mp3"),
        "of a row": Clip("c", "c.wav", "c.wav", {"duration": 100.0}),
        "of a span": Clip("d", "d.wav", "d.wav", {"duration": 7200.0}, span_s=(50.0, 150.0)),
    }
    for kind, clip in kinds.items():
        first = next(handfuls.handfuls(iter([clip] * 1000), 1000, 1))
        assert len(first) == 3, f"100 s {kind}"
    assert len(next(handfuls.handfuls(iter([Clip("e", "s3://b/e.wav", "e.wav")] * 1000), 1000, 1))) == 24
