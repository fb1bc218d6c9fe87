"""Files and folders are matched by name and measured clip by clip; one that fails stops none of the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.assurance.clip_files import assess_clips, plan_clips

RATE = 16_000
FAST = ("snr_db", "clipping_share")


@pytest.fixture
def folders(tmp_path, write_file, noisy_speech):
    """Three clips: noise of 0.05, 0.02 and 0.02 times 0.1 of that left by the enhancer."""
    for place, name in enumerate(("a", "deep/b", "c")):
        clean = noisy_speech(RATE, 1.5, seed=place)
        hiss = 0.05 * np.random.default_rng(place).standard_normal(clean.shape)
        for folder, audio in (("noisy", clean + hiss), ("enhanced", clean + 0.1 * hiss), ("clean", clean)):
            write_file(tmp_path / folder / f"{name}.wav", audio, RATE, "FLOAT")
    return tmp_path


def paths(folder: Path, *roles):
    return [str(folder / role) for role in roles]


def measured(clips, **options):
    return {item.clip: item for item in assess_clips(clips, measures=FAST, **options)}


def test_clips_of_one_name_belong_together(folders):
    clips = plan_clips(*paths(folders, "noisy", "enhanced", "clean"))
    assert [clip.clip for clip in clips] == ["a", "c", "deep/b"]
    for clip in clips:
        name = f"{clip.clip}.wav"
        assert [clip.original, clip.enhanced, clip.clean] == [
            str(folders / r / name) for r in ("noisy", "enhanced", "clean")
        ]


def test_the_extension_may_differ_and_other_files_do_not_disturb(folders):
    audio, _ = soundfile.read(folders / "enhanced" / "a.wav")
    (folders / "enhanced" / "a.wav").unlink()
    soundfile.write(folders / "enhanced" / "a.flac", audio, RATE)
    for name in ("notes.txt", ".hidden.wav", "d.wav"):
        (folders / "enhanced" / name).write_bytes(b"x")
    clips = {clip.clip: clip for clip in plan_clips(*paths(folders, "noisy", "enhanced"))}
    assert clips["a"].enhanced.endswith("enhanced/a.flac")
    assert clips.keys() == {"a", "c", "deep/b"}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_clip_that_fails_is_named_and_the_others_are_measured(folders, jobs):
    (folders / "noisy" / "a.wav").write_bytes(b"no audio")
    (folders / "enhanced" / "c.wav").unlink()
    (folders / "clean" / "deep" / "b.wav").unlink()
    found = measured(plan_clips(*paths(folders, "noisy", "enhanced", "clean")), jobs=jobs, enhancer="mine")
    assert "a.wav" in found["a"].after.failures["clip"]
    assert "c.wav does not exist" in found["c"].after.failures["clip"]
    assert found["a"].after.failed
    assert found["c"].after.failed
    assert found["deep/b"].after.values.keys() == {"clipping_share"}
    assert found["deep/b"].after.failures == {"snr_db": "there is no clean reference"}
    assert {item.enhancer for item in found.values()} == {"mine"}


def test_gains_are_those_the_files_were_made_with_and_files_are_linked(folders):
    found = measured(plan_clips(*paths(folders, "noisy", "enhanced", "clean")))
    for item in found.values():
        assert item.gains["snr_db"] == pytest.approx(20.0, abs=0.01)
        assert all(Path(path).is_absolute() and Path(path).exists() for path in item.after.files.values())
        assert item.after.files.keys() == {"noisy", "enhanced", "clean"}


def test_what_the_enhancer_made_of_clean_speech_is_measured_too(folders):
    clips = plan_clips(*paths(folders, "noisy", "enhanced", "clean", "enhanced"))
    item = next(assess_clips(clips, measures=("transparency_si_sdr_db", "si_sdr_db")))
    assert item.after.values["transparency_si_sdr_db"] == pytest.approx(item.after.values["si_sdr_db"], abs=0.1)


def test_single_files_are_a_clip(folders):
    files = [str(folders / role / "a.wav") for role in ("noisy", "enhanced", "clean")]
    (clip,) = plan_clips(*files)
    assert (clip.clip, clip.original, clip.enhanced, clip.clean) == ("a", *files)


@pytest.mark.parametrize(
    ("samples", "rate", "channels", "said"),
    [
        (RATE, RATE, 1, "is 1.00 s long and"),
        (36_000, 24_000, 1, "has 24000 Hz and"),
        (24_000, RATE, 2, "has 2 channel(s) and"),
        (0, RATE, 1, ""),
    ],
)
def test_files_that_do_not_fit_are_a_failure_of_that_clip(folders, write_file, samples, rate, channels, said):
    write_file(folders / "enhanced" / "a.wav", 0.1 * np.ones((channels, samples)), rate)
    found = measured(plan_clips(*paths(folders, "noisy", "enhanced", "clean")))
    assert said in found["a"].after.failures["clip"]
    assert not found["c"].after.failed


def test_some_samples_more_or_less_as_codecs_leave_them_do_not_matter(folders, write_file):
    audio, _ = soundfile.read(folders / "enhanced" / "a.wav")
    write_file(folders / "enhanced" / "a.wav", np.concatenate((audio, np.zeros(1_000))), RATE, "FLOAT")
    found = measured(plan_clips(*paths(folders, "noisy", "enhanced", "clean")))
    assert found["a"].gains["snr_db"] == pytest.approx(20.0, abs=0.1)


def test_names_that_cannot_be_matched_are_refused(folders):
    noisy, enhanced, clip = str(folders / "noisy"), str(folders / "enhanced"), str(folders / "noisy" / "a.wav")
    with pytest.raises(InvalidParameterError, match="all files or all folders"):
        plan_clips(noisy, clip)
    with pytest.raises(InvalidParameterError, match="all files or all folders"):
        plan_clips(clip, enhanced)
    (folders / "empty").mkdir()
    with pytest.raises(AudioFileError, match="holds no audio"):
        plan_clips(noisy, str(folders / "empty"))
    with pytest.raises(AudioFileError, match="holds no audio"):
        plan_clips(str(folders / "empty"), enhanced)
    soundfile.write(folders / "empty" / "other.wav", np.zeros(10), RATE)
    with pytest.raises(AudioFileError, match="holds no file of the name"):
        plan_clips(noisy, str(folders / "empty"))
    soundfile.write(folders / "noisy" / "a.flac", np.zeros(10), RATE)
    with pytest.raises(InvalidParameterError, match="have the same name"):
        plan_clips(noisy, enhanced)
