"""What a dry run tells is what a run does, and telling it leaves no trace."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from unmuffle import Enhancer
from unmuffle.corpus import RunOptions, outlook, run
from unmuffle.errors import InvalidParameterError

RATE = 16_000
WIENER = Enhancer("wiener")
QUICK = {"enhancer": WIENER, "measures": (), "options": RunOptions(workers=1)}
NAMES = ("a.wav", "b.wav", "c.wav", "d.wav", "e.wav")


@pytest.fixture
def corpus(tmp_path, noisy_speech, write_file):
    for seed, name in enumerate(NAMES[:4]):
        write_file(tmp_path / "in" / name, noisy_speech(RATE, seconds=0.5, seed=seed), RATE)
    (tmp_path / "in" / "bad.wav").write_text("no sound in here")
    return tmp_path / "in"


def foreseen(corpus, out, **changes):
    with outlook(corpus, out, **QUICK | changes) as found:
        return {clip.key: why for clip, why in found}, dict(found.rest)


def tree(folder):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*") if path.is_file()}


def test_everything_is_new_to_a_new_destination_which_is_not_made(corpus, tmp_path):
    reasons, rest = foreseen(corpus, tmp_path / "out")
    assert reasons == dict.fromkeys(["a.wav", "b.wav", "bad.wav", "c.wav", "d.wav"], "new")
    assert rest == {}
    assert not (tmp_path / "out").exists()


def test_reasons_are_told_apart_and_are_what_is_done(corpus, tmp_path, noisy_speech, write_file):
    out = tmp_path / "out"
    count = 0

    def stop_after_three(*_):
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(corpus, out, **QUICK, told=stop_after_three)
    os.utime(corpus / "a.wav", ns=(1, 1))
    write_file(corpus / "e.wav", noisy_speech(RATE, seconds=0.5, seed=9), RATE)
    (corpus / "d.wav").unlink()
    before = tree(out)
    reasons, rest = foreseen(corpus, out)
    assert tree(out) == before
    assert reasons == {"a.wav": "changed", "c.wav": "left over", "e.wav": "new"}
    assert rest == {"done": 1, "failed": 1}
    again = RunOptions(workers=1, retry_failed=True)
    reasons, rest = foreseen(corpus, out, options=again)
    assert tree(out) == before
    assert reasons == {"a.wav": "changed", "bad.wav": "failed before", "c.wav": "left over", "e.wav": "new"}
    assert rest == {"done": 1}
    told = []
    run(corpus, out, **QUICK | {"options": again}, told=lambda clip, *_: told.append(clip.key))
    assert sorted(told) == sorted(reasons)


def test_other_settings_are_refused_as_the_run_would_refuse_them(corpus, tmp_path):
    run(corpus, tmp_path / "out", **QUICK)
    other = Enhancer("wiener", strength=0.5)
    with pytest.raises(InvalidParameterError, match="begun with another strength"):
        foreseen(corpus, tmp_path / "out", enhancer=other)
    reasons, _ = foreseen(corpus, tmp_path / "out", enhancer=other, options=RunOptions(workers=1, redo=True))
    assert set(reasons.values()) == {"settings"}
    assert len(reasons) == 5


def test_results_have_the_names_that_they_will_get(tmp_path, noisy_speech, write_file):
    rows = [{"audio_filepath": f"{folder}/../x.WAV", "id": folder} for folder in ("p", "q")]
    write_file(tmp_path / "x.WAV", noisy_speech(RATE, seconds=0.5), RATE)
    (tmp_path / "list.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with outlook(tmp_path / "list.jsonl", tmp_path / "out", **QUICK) as found:
        names = [clip.output for clip, _ in found]
    assert names[0] == "x.WAV"
    assert names[1].startswith("x~")
    run(tmp_path / "list.jsonl", tmp_path / "out", **QUICK)
    assert sorted(path.name for path in (tmp_path / "out").glob("x*")) == sorted(names)


def test_two_clips_of_one_name_are_refused(tmp_path):
    (tmp_path / "list.jsonl").write_text('{"path": "a.wav", "id": "7"}\n{"path": "b.wav", "id": "7"}\n')
    with pytest.raises(InvalidParameterError, match="both called '7'"):
        foreseen(tmp_path / "list.jsonl", tmp_path / "out")


def test_it_may_be_asked_while_a_run_is_at_work(corpus, tmp_path):
    seen = []

    def ask(*_):
        seen.append(foreseen(corpus, tmp_path / "out"))

    run(corpus, tmp_path / "out", **QUICK, told=ask)
    assert [sum(rest.values()) for _, rest in seen] == [1, 2, 3, 4, 5]
    assert set(seen[0][0].values()) == {"left over"}


def test_the_command_line_tells_people_and_programs(corpus, tmp_path, run_command):
    out, quick = tmp_path / "out", ("--method", "wiener", "--measure", "none")
    planned = run_command("corpus", "run", corpus, "-o", out, "--dry-run", *quick)
    assert len(planned.stdout.splitlines()) == 5
    assert planned.stdout.decode().startswith(f"new: {corpus / 'a.wav'} -> {out / 'a.wav'}\n")
    assert b"5 would be done (5 new)" in planned.stderr
    assert not out.exists()
    run(corpus, out, **QUICK)
    shutil.copy(corpus / "a.wav", corpus / "f.wav")
    planned = run_command("corpus", "run", corpus, "-o", out, "--dry-run", "--retry-failed", "--json", *quick)
    *clips, totals = map(json.loads, planned.stdout.splitlines())
    assert {clip["id"]: clip["why"] for clip in clips} == {"bad.wav": "failed before", "f.wav": "new"}
    assert totals == {"todo": {"failed before": 1, "new": 1}, "rest": {"done": 4}}
    people = run_command("corpus", "run", corpus, "-o", out, "--dry-run", *quick)
    assert b"1 would be done (1 new); 4 are done; 1 failed before and are left" in people.stderr
