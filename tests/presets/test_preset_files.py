import numpy as np
import pyloudnorm
import pytest
import soundfile
from typer.testing import CliRunner

import unmuffle
from unmuffle.cli.app import app
from unmuffle.errors import InvalidParameterError
from unmuffle.presets import find_preset, list_presets
from unmuffle.presets.chain import check_order

NAMES = ["asr", "broadcast", "forensic", "hearing", "meeting", "podcast", "telephone"]


def test_the_presets_of_the_documentation_are_there():
    assert [preset.name for preset in list_presets()] == NAMES
    assert all(preset.summary for preset in list_presets())


# Where nothing but noise is left of noise, there is nothing to bring to a loudness, and that is told.
@pytest.mark.filterwarnings("ignore:the audio. -?[0-9]* LUFS cannot be reached:UserWarning")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2)])
def test_presets_take_any_audio(name, rate, channels):
    noisy = (0.05 * np.random.default_rng(0).standard_normal((channels, rate))).astype(np.float32)
    out = unmuffle.Enhancer(preset=name).enhance(noisy, rate)
    assert out.shape == noisy.shape
    assert np.isfinite(out).all()


def test_a_podcast_lands_at_its_loudness_under_its_ceiling(tmp_path):
    unmuffle.Enhancer(preset="podcast").enhance_file("examples/noisy.flac", tmp_path / "out.wav")
    audio, rate = soundfile.read(tmp_path / "out.wav")
    assert pyloudnorm.Meter(rate).integrated_loudness(audio) == pytest.approx(-16, abs=0.3)
    assert unmuffle.level.true_peak_dbtp(audio, rate) <= -0.9


def test_a_loudness_beside_a_preset_takes_its_place(tmp_path):
    unmuffle.Enhancer(preset="podcast", loudness=-20).enhance_file("examples/noisy.flac", tmp_path / "out.wav")
    audio, rate = soundfile.read(tmp_path / "out.wav")
    assert pyloudnorm.Meter(rate).integrated_loudness(audio) == pytest.approx(-20, abs=0.3)


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('summary = "mine"\nloudness_lufs = -20\n[[stage]]\nname = "gain"\ngain_db = 3\n')
    preset = find_preset(path)
    assert (preset.name, preset.summary, preset.loudness_lufs, preset.true_peak_dbtp) == ("mine", "mine", -20, -1)
    assert [(choice.name, dict(choice.options)) for choice in preset.chain] == [("gain", {"gain_db": 3.0})]
    assert find_preset(str(path)) == preset


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("summary = 1 2", "is no TOML"),
        ('summary = "x"', r"has no \[\[stage\]\]"),
        ("[[stage]]\ncutoff_hz = 3", "must have a name"),
        ('volume = 3\n[[stage]]\nname = "gain"', "an entry 'volume'"),
        ('loudness_lufs = "loud"\n[[stage]]\nname = "gain"', "loudness_lufs is 'loud'; it must be a number"),
        ('[[stage]]\nname = "level"\n[[stage]]\nname = "denoise"', "denoise comes after level"),
    ],
)
def test_what_is_wrong_in_a_file_is_named_with_the_file(tmp_path, text, complaint):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InvalidParameterError, match=f"bad.toml: .*{complaint}"):
        find_preset(path)


def test_unknown_presets_and_two_wishes_are_refused(tmp_path):
    with pytest.raises(InvalidParameterError, match=r"no preset 'podcats' \(did you mean podcast\?\)"):
        unmuffle.Enhancer(preset="podcats")
    with pytest.raises(InvalidParameterError, match=r"missing.toml: the preset cannot be read"):
        unmuffle.Enhancer(preset=tmp_path / "missing.toml")
    with pytest.raises(InvalidParameterError, match="give one"):
        unmuffle.Enhancer(preset="podcast", chain="denoise")


def test_the_command_lists_presets_and_stages_and_prints_files_that_can_be_read_back(tmp_path):
    listed = CliRunner().invoke(app, ["presets"])
    assert [line.split()[0] for line in listed.stdout.splitlines()[::2]] == NAMES
    stages = CliRunner().invoke(app, ["presets", "--stages"])
    assert "cutoff_hz=70.0" in stages.stdout
    printed = CliRunner().invoke(app, ["presets", "podcast"])
    (tmp_path / "mine.toml").write_text(printed.stdout)
    assert find_preset(tmp_path / "mine.toml").chain == check_order(find_preset("podcast").chain)
    unknown = CliRunner().invoke(app, ["presets", "nothing"])
    assert unknown.exit_code == 1
    assert "there is no preset 'nothing'" in unknown.stderr


def test_the_command_line_takes_presets_chains_and_an_automatic_strength(tmp_path):
    for number, options in enumerate((["--preset", "asr"], ["--chain", "gain:gain_db=-6"], ["--strength", "auto"])):
        out = tmp_path / f"{number}.wav"
        done = CliRunner().invoke(app, ["enhance", "examples/noisy.flac", "-o", str(out), "-q", *options])
        assert (done.exit_code, done.stderr) == (0, "")
    noisy, _ = soundfile.read("examples/noisy.flac")
    quieter, _ = soundfile.read(tmp_path / "1.wav")
    np.testing.assert_allclose(quieter, 10 ** (-6 / 20) * noisy, atol=1 / 2**14)
    done = CliRunner().invoke(app, ["enhance", "examples/noisy.flac", "-o", str(out), "--strength", "much"])
    assert done.exit_code == 1
    assert "--strength is 'much'" in done.stderr
