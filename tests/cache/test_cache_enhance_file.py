"""With a cache, a file becomes what it becomes without one; what was made once of the same is copied, nothing else."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

import unmuffle
from peak_memory import PEAK_MB
from small_models import frames_model, save
from unmuffle.cache import Cache
from unmuffle.errors import AudioFileError, InvalidParameterError, OutputExistsError
from unmuffle.signal.files import RawFormat

RATE = 16_000
PRESET = 'summary = "{summary}"\n[[stage]]\nname = "highpass"\ncutoff_hz = {cutoff_hz}\n'


@pytest.fixture
def source(tmp_path, noisy_speech, write_file):
    return write_file(tmp_path / "noisy.wav", noisy_speech(RATE, seconds=1.5, channels=2), RATE, "PCM_16")


@pytest.fixture
def cache(tmp_path):
    with Cache(tmp_path / "cache") as cache:
        yield cache


@pytest.fixture
def run(source, tmp_path, cache):
    """Enhance the source with the cache, into a new folder each time; returns the report."""
    count = 0

    def run(enhancer=None, name="clear.wav", src=source, **options):
        nonlocal count
        count += 1
        options.setdefault("cache", cache)
        enhancer = enhancer or unmuffle.Enhancer("wiener")
        return enhancer.enhance_file(src, tmp_path / str(count) / name, **options)

    return run


def content(report):
    return Path(report.destination).read_bytes()


def same(report, other):
    """Whether two reports tell the same, but for names and times."""
    neutral = {"source": "", "destination": "", "elapsed_s": 0.0, "from_cache": False, "warnings": ()}
    return replace(report, **neutral) == replace(other, **neutral)


def test_the_second_time_the_result_is_copied(run, source, cache):
    plain, first, second = run(cache=None), run(), run()
    assert (plain.from_cache, first.from_cache, second.from_cache) == (False, False, True)
    assert content(plain) == content(first) == content(second)
    assert same(plain, second)
    assert (second.source, second.speed > 0) == (str(source), True)
    statistics = cache.statistics
    assert (statistics.misses, statistics.hits) == (1, 1)


def test_the_source_is_known_by_its_bytes(run, source, tmp_path):
    first = run()
    moved = source.rename(tmp_path / "another.WAV")
    found = run(src=moved)
    assert found.from_cache
    assert found.source == str(moved)
    assert content(found) == content(first)
    raw = bytearray(moved.read_bytes())
    raw[-1] ^= 1
    moved.write_bytes(raw)
    assert not run(src=moved).from_cache


def test_sources_may_be_bytes(run, source):
    data = source.read_bytes()
    assert not run(src=data).from_cache
    found = run(src=bytes(data))
    assert (found.from_cache, found.source) == (True, "the given bytes")


def test_what_was_removed_is_kept_too(run, tmp_path):
    names = [tmp_path / f"removed{number}.flac" for number in range(3)]
    plain = run(cache=None, save_removed=names[0])
    # A result alone is not enough for one that wants to hear what was removed.
    run()
    assert not run(save_removed=names[1]).from_cache
    found = run(save_removed=names[2])
    assert found.from_cache
    assert names[0].read_bytes() == names[1].read_bytes() == names[2].read_bytes()
    assert content(found) == content(plain)


def test_the_whole_report_is_kept(run):
    enhancer = unmuffle.Enhancer("wiener", strength="auto", loudness=-16, true_peak=-1.5)
    first, second = run(enhancer), run(enhancer)
    assert second.from_cache
    assert first.normalization is not None
    assert first.strength_over_time is not None
    assert same(first, second)


def test_silence_has_a_report_as_well(run, write_file, tmp_path):
    silence = write_file(tmp_path / "silence.wav", np.zeros((1, RATE)), RATE)
    enhancer = unmuffle.Enhancer("wiener", loudness=-16)
    first, second = run(enhancer, src=silence), run(enhancer, src=silence)
    assert first.normalization.before.lufs == -np.inf
    assert (second.from_cache, same(first, second)) == (True, True)


def test_warnings_name_the_files_of_today(run, write_file, tmp_path, noisy_speech):
    loud = noisy_speech(RATE, seconds=1.0)
    loud[0, 100:110] = np.nan
    loud[0, 5000:5100] = 40.0
    one = write_file(tmp_path / "one.wav", loud, RATE, "FLOAT")
    enhancer = unmuffle.Enhancer("wiener", strength=0.5, nonfinite="silence")
    first = run(enhancer, src=one, name="a.mp3")
    two = one.rename(tmp_path / "two.wav")
    found = run(enhancer, src=two, name="b.mp3")
    assert found.from_cache
    assert len(first.warnings) >= 1
    old_names, new_names = (first.source, first.destination), (found.source, found.destination)
    expected = [w.replace(old_names[0], new_names[0]).replace(old_names[1], new_names[1]) for w in first.warnings]
    assert list(found.warnings) == expected


def test_progress_reaches_the_end_at_once(run):
    run()
    calls = []
    run(progress=lambda seconds, total: calls.append((seconds, total)))
    assert calls == [(1.5, 1.5)]


def write_toml(path, **values):
    path.write_text(PRESET.format(**{"summary": "", "cutoff_hz": 80, **values}))
    return path


CHANGES = {
    "method": "log_mmse",
    "strength": 0.9,
    "max_attenuation_db": 12.0,
    "noise_profile": (0.0, 0.2),
    "residual": True,
    "link_channels": False,
    "nonfinite": "silence",
    "model": "unmuffle-s",
    "loudness": -16.0,
    "true_peak": -2.0,
    "preset": "telephone",
    "chain": "highpass",
    "keep": "music",
}


def test_every_setting_of_an_enhancer_is_tried_here():
    assert set(CHANGES) == {field.name for field in fields(unmuffle.Enhancer)}


@pytest.mark.parametrize("name", CHANGES)
def test_another_setting_is_another_result(run, name):
    base = unmuffle.Enhancer("wiener", loudness=-20.0 if name == "true_peak" else None)
    others = {"model": {"method": "auto"}, "preset": {"method": "auto"}, "chain": {"method": "auto"}}
    run(base)
    changed = replace(base, **{name: CHANGES[name], **others.get(name, {})})
    assert not run(changed).from_cache
    assert run(changed).from_cache
    assert run(base).from_cache


@pytest.mark.parametrize(
    "changed",
    [
        "highpass:cutoff_hz=81,denoise:method=wiener",
        "highpass:cutoff_hz=80,denoise:method=log_mmse",
        "highpass:cutoff_hz=80,denoise:method=wiener:strength=0.5",
        "highpass:cutoff_hz=80,denoise:method=wiener,gain",
        "denoise:method=wiener",
    ],
)
def test_another_chain_is_another_result(run, changed):
    chain = "highpass:cutoff_hz=80,denoise:method=wiener"
    run(unmuffle.Enhancer(chain=chain))
    assert run(unmuffle.Enhancer(chain=chain)).from_cache
    assert not run(unmuffle.Enhancer(chain=changed)).from_cache


def test_a_preset_is_known_by_its_stages_not_by_its_name(run, tmp_path):
    mine = write_toml(tmp_path / "mine.toml", summary="one")
    run(unmuffle.Enhancer(preset=mine))
    yours = write_toml(tmp_path / "yours.toml", summary="two")
    assert run(unmuffle.Enhancer(preset=yours)).from_cache
    assert run(unmuffle.Enhancer(chain="highpass:cutoff_hz=80")).from_cache
    enhancer = unmuffle.Enhancer(preset=mine)
    write_toml(mine, cutoff_hz=90)
    assert not run(enhancer).from_cache


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"name": "a.wav"}, {"name": "a.flac"}),
        ({"name": "a.mp3"}, {"name": "a.m4a"}),
        ({"raw": RawFormat("s16le", RATE, 2)}, {"raw": RawFormat("s16le", RATE, 1)}),
        ({"raw": RawFormat("s16le", RATE, 2)}, {"raw": RawFormat("s16be", RATE, 2)}),
        ({"raw": RawFormat("s16le", RATE, 2)}, {}),
    ],
)
def test_another_format_is_another_result(run, first, second):
    run(**first)
    assert not run(**second).from_cache
    assert run(**first).from_cache
    assert run(**second).from_cache


def test_a_noise_file_and_a_noise_array_are_known_by_what_they_hold(run, write_file, tmp_path, noisy_speech):
    noise = noisy_speech(RATE, seconds=1.0, speech=0.0)
    path = write_file(tmp_path / "noise.wav", noise, RATE)
    by_file = unmuffle.Enhancer("wiener", noise_profile=path)
    by_array = unmuffle.Enhancer("wiener", noise_profile=np.float32(noise))
    for enhancer in (by_file, by_array):
        assert not run(enhancer).from_cache
        assert run(enhancer).from_cache
    write_file(path, 0.5 * noise, RATE)
    assert not run(by_file).from_cache
    assert not run(replace(by_array, noise_profile=np.float32(0.5 * noise))).from_cache


def test_a_model_is_known_by_its_bytes_and_its_name_does_not_matter(run, tmp_path):
    one, other = save(frames_model(), tmp_path / "one.onnx"), save(frames_model(gain=0.5), tmp_path / "other.onnx")
    copied = tmp_path / "copied.onnx"
    copied.write_bytes(one.read_bytes())
    run(unmuffle.Enhancer(model=one))
    assert run(unmuffle.Enhancer(model=copied)).from_cache
    assert run(unmuffle.Enhancer(chain=f"denoise:model={one}:strength=1.0")).from_cache is False
    assert not run(unmuffle.Enhancer(model=other)).from_cache
    one.write_bytes(other.read_bytes())
    found = run(unmuffle.Enhancer(model=one))
    assert found.from_cache
    assert content(found) == content(run(unmuffle.Enhancer(model=other), cache=None))


def test_the_model_within_a_chain_counts(run, tmp_path):
    path = save(frames_model(), tmp_path / "one.onnx")
    chain = f"highpass,denoise:model={path}"
    run(unmuffle.Enhancer(chain=chain))
    assert run(unmuffle.Enhancer(chain=chain)).from_cache
    save(frames_model(gain=0.5), path)
    assert not run(unmuffle.Enhancer(chain=chain)).from_cache


def test_a_model_with_weights_in_other_files_is_done_without_the_cache(run, tmp_path):
    path = save(frames_model({**dict(frames_model_metadata()), "location": "elsewhere"}), tmp_path / "one.onnx")
    for _ in range(2):
        report = run(unmuffle.Enhancer(model=path))
        assert not report.from_cache
        assert "other files" in report.cache_note


def frames_model_metadata():
    return {entry.key: entry.value for entry in frames_model().metadata_props}


@pytest.mark.parametrize("version", ["unmuffle.enhancer.cached.__version__", "unmuffle.enhancer.recipe._version"])
def test_another_version_of_the_package_or_of_a_library_is_another_result(run, monkeypatch, version):
    from unmuffle.enhancer import recipe

    run()
    with monkeypatch.context() as patch:
        patch.setattr(version, "9.9" if version.endswith("__") else "9.9 of {}".format)
        recipe._versions.cache_clear()
        assert not run().from_cache
        assert run().from_cache
    recipe._versions.cache_clear()
    assert run().from_cache


def test_a_stand_in_for_a_model_is_not_kept(run, monkeypatch):
    import onnxruntime

    from unmuffle.models import session

    def fail(*arguments, **options):
        raise RuntimeError("no such instruction")

    session._opened.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(onnxruntime, "InferenceSession", fail)
        for _ in range(2):
            report = run(unmuffle.Enhancer())
            assert not report.from_cache
            assert "is used instead" in report.warnings[0]
    session._opened.cache_clear()
    assert not run(unmuffle.Enhancer()).from_cache
    assert run(unmuffle.Enhancer()).from_cache


@pytest.mark.parametrize("what", ["source", "preset", "noise"])
def test_what_is_changed_on_the_way_is_not_kept(run, source, tmp_path, write_file, noisy_speech, what, cache):
    preset = write_toml(tmp_path / "mine.toml")
    noise = write_file(tmp_path / "noise.wav", noisy_speech(RATE, seconds=1.0, speech=0.0), RATE)
    enhancer = {
        "source": unmuffle.Enhancer("wiener"),
        "preset": unmuffle.Enhancer(preset=preset),
        "noise": unmuffle.Enhancer("wiener", noise_profile=noise),
    }[what]
    path = {"source": source, "preset": preset, "noise": noise}[what]
    before = path.read_bytes()

    after = before.replace(b"80", b"90") if what == "preset" else before + b" "

    def change(seconds, total):
        path.write_bytes(after)

    run(enhancer, progress=change)
    assert cache.statistics.stored == 0
    for data in (before, after):
        path.write_bytes(data)
        assert not run(enhancer).from_cache


def test_a_damaged_entry_is_made_anew(run, cache):
    first = run()
    (entry,) = [path for path in cache.folder.glob("v1/entries/*/*") if path.stat().st_size == len(content(first))]
    entry.write_bytes(entry.read_bytes()[:-1])
    again = run()
    assert not again.from_cache
    assert content(again) == content(first)
    assert run().from_cache
    assert cache.statistics.damaged == 1


@pytest.mark.parametrize("part", ["result", "removed", "report"])
def test_where_a_part_is_missing_all_is_made_anew(run, tmp_path, part):
    cache = Cache(tmp_path / "disk only", memory_bytes=0)
    run = partial(run, cache=cache)
    run(save_removed=tmp_path / "r1.wav")
    entries = sorted(cache.folder.glob("v1/entries/*/*"), key=lambda path: path.stat().st_size)
    assert len(entries) == 3
    # The report is the smallest; result and removed are of one size.
    (entries[0] if part == "report" else entries[1 if part == "result" else 2]).unlink()
    again = run(save_removed=tmp_path / "r2.wav")
    assert not again.from_cache
    assert run(save_removed=tmp_path / "r3.wav").from_cache
    assert (tmp_path / "r1.wav").read_bytes() == (tmp_path / "r3.wav").read_bytes()
    cache.close()


def test_refusals_are_the_same_as_without_a_cache(run, source, tmp_path, cache):
    first = run()
    enhancer = unmuffle.Enhancer("wiener")
    with pytest.raises(OutputExistsError):
        enhancer.enhance_file(source, first.destination, cache=cache)
    with pytest.raises(AudioFileError, match="is the source itself"):
        enhancer.enhance_file(source, source, overwrite=True, cache=cache)
    with pytest.raises(AudioFileError, match="is the result itself"):
        enhancer.enhance_file(source, tmp_path / "a.wav", save_removed=tmp_path / "a.wav", cache=cache)
    with pytest.raises(AudioFileError, match="does not exist"):
        enhancer.enhance_file(tmp_path / "missing.wav", tmp_path / "new" / "b.wav", cache=cache)
    with pytest.raises(AudioFileError, match="is a folder"):
        enhancer.enhance_file(source, tmp_path, overwrite=True, cache=cache)
    assert not (tmp_path / "new").exists()
    replaced = enhancer.enhance_file(source, first.destination, overwrite=True, cache=cache)
    assert replaced.from_cache
    assert sorted(path.name for path in (tmp_path / "1").iterdir()) == ["clear.wav"]


def test_streams_are_done_without_the_cache_and_that_is_told(run, source, tmp_path, cache):
    run()
    into_stream = unmuffle.Enhancer("wiener").enhance_file(source, io.BytesIO(), cache=cache)
    from_stream = run(src=io.BytesIO(source.read_bytes()))
    removed = run(save_removed=io.BytesIO())
    notes = [report.cache_note for report in (into_stream, from_stream, removed)]
    assert notes[0] == notes[2] == "the result goes into a stream"
    assert "read only once" in notes[1]
    assert not any(report.from_cache for report in (into_stream, from_stream, removed))
    assert run().cache_note is None


def test_a_destination_that_is_a_link_stays_one(run, source, tmp_path, cache):
    run()
    (tmp_path / "link.wav").symlink_to(tmp_path / "target.wav")
    report = unmuffle.Enhancer("wiener").enhance_file(source, tmp_path / "link.wav", cache=cache)
    assert report.from_cache
    assert (tmp_path / "link.wav").is_symlink()
    assert (tmp_path / "target.wav").is_file()


def test_the_cache_of_the_user_is_used_for_true(run, tmp_path, monkeypatch):
    monkeypatch.setenv("UNMUFFLE_CACHE", str(tmp_path / "of the user"))
    for off in (None, False):
        run(cache=off)
    assert not (tmp_path / "of the user").exists()
    assert not run(cache=True).from_cache
    assert run(cache=True).from_cache
    with Cache(tmp_path / "of the user") as cache:
        assert cache.statistics.entries == 2
    with pytest.raises(InvalidParameterError, match="cache is 'yes'"):
        run(cache="yes")


def make_video(path, audio):
    """Frames of one colour each beside the audio, by FFmpeg's libraries."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=RATE, layout="mono")
        for number in range(round(audio.shape[1] / RATE * 25)):
            image = np.full((48, 64, 3), 5 * number, np.uint8)
            container.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray(np.float32(audio), format="fltp", layout="mono")
        frame.rate, frame.pts = RATE, 0
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


def packets_of_picture(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size]


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
def test_videos_are_kept_with_their_picture(run, tmp_path, noisy_speech, kind):
    video = make_video(tmp_path / f"talk.{kind}", noisy_speech(RATE, seconds=1.5))
    first, second = run(src=video, name=f"clear.{kind}"), run(src=video, name=f"clear.{kind}")
    assert (first.from_cache, second.from_cache) == (False, True)
    assert content(first) == content(second)
    assert packets_of_picture(second.destination) == packets_of_picture(video) != []
    # A picture that differs is another file, though its sound is the same.
    other = tmp_path / f"other.{kind}"
    other.write_bytes(video.read_bytes() + b"\0" * 8)
    assert not run(src=other, name=f"clear.{kind}").from_cache


COPY = f"""
import sys
import unmuffle
from unmuffle.cache import Cache
{PEAK_MB}
with Cache(sys.argv[3]) as cache:
    for number in range(int(sys.argv[4])):
        enhancer = unmuffle.Enhancer(chain="gain:gain_db=-1")
        found = enhancer.enhance_file(sys.argv[1], sys.argv[2], overwrite=True, cache=cache).from_cache
print(found, peak_mb())
"""


def test_memory_does_not_grow_with_the_length_of_what_is_kept_and_copied(tmp_path):
    peaks = []
    for seconds in (5, 900):
        source = tmp_path / f"{seconds}.wav"
        second = np.zeros((48_000, 2), np.int16)
        with soundfile.SoundFile(source, "w", 48_000, 2, "PCM_16") as file:
            for _ in range(seconds):
                file.write(second)
        command = [sys.executable, "-c", COPY, source, tmp_path / "clear.wav", tmp_path / "of its own", "2"]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        found, peak_mb = done.stdout.split()
        assert found == "True"
        peaks.append(float(peak_mb))
    # The long file has 173 MB.
    assert peaks[1] - peaks[0] < 40
