"""Players: every version is there, decodes, and is as loud as the others."""

from __future__ import annotations

import base64
import io

import numpy as np
import pyloudnorm
import pytest
import soundfile
from report_results import RATE, Page, made_results

from unmuffle.measure.report.html import write_html
from unmuffle.measure.report.listening import LONGEST_S, matching_gains_db, paths, prepare
from unmuffle.measure.report.players import make_players
from unmuffle.measure.results import ClipResult, Results

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("listening")
    results = made_results(3, folder=folder)
    write_html(results, folder / "r.html")
    return results, Page(folder / "r.html")


def decoded(uri: str) -> np.ndarray:
    assert uri.startswith("data:audio/mpeg;base64,")
    audio, rate = soundfile.read(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert rate == RATE
    return audio


def test_every_version_can_be_heard(made):
    _, page = made
    assert set(page.players) == {"clip00", "clip01", "clip02"}
    for player in page.players.values():
        assert [version["name"] for version in player["versions"]] == ["noisy", "first", "second", "reference"]
        assert player["seconds"] == 2.0


def test_versions_are_equally_loud_by_another_meter(made):
    _, page = made
    meter = pyloudnorm.Meter(RATE)
    for player in page.players.values():
        loudness = [meter.integrated_loudness(decoded(version["audio"])) for version in player["versions"]]
        assert np.ptp(loudness) < 0.3


def test_the_gain_told_is_the_gain_made(made):
    results, page = made
    meter = pyloudnorm.Meter(RATE)
    made_db, told_db = [], []
    for version in page.players["clip00"]["versions"]:
        original, _ = soundfile.read(paths(results, "clip00")[version["name"]])
        made_db.append(meter.integrated_loudness(decoded(version["audio"])) - meter.integrated_loudness(original))
        told_db.append(version["gain"])
        assert version["lufs"] == pytest.approx(meter.integrated_loudness(original), abs=0.1)
    # LAME itself takes 0.45 dB from all.
    assert np.array(told_db) - told_db[0] == pytest.approx(np.array(made_db) - made_db[0], abs=0.3)
    assert np.array(told_db) == pytest.approx(np.array(made_db), abs=0.8)


def test_the_sound_is_that_of_the_file(made):
    results, page = made
    original, _ = soundfile.read(results.get("clip01", "noisy").files["clean"])
    heard = decoded(page.players["clip01"]["versions"][-1]["audio"])
    common = slice(0, min(original.size, heard.size))
    assert np.corrcoef(original[common], heard[common])[0, 1] > 0.99


def test_spectrograms_are_pictures(made):
    image = pytest.importorskip("PIL.Image")
    _, page = made
    for version in page.players["clip00"]["versions"]:
        head, _, contents = version["image"].partition(",")
        assert head == "data:image/webp;base64"
        picture = image.open(io.BytesIO(base64.b64decode(contents)))
        assert picture.width > 2 * picture.height


def test_no_gain_makes_a_peak_clip():
    gains = matching_gains_db(
        {"quiet": -50.0, "loud": -12.0, "peaky": -30.0}, {"quiet": -40.0, "loud": 0.0, "peaky": -2.0}
    )
    after = {"quiet": -50.0 + gains["quiet"], "loud": -12.0 + gains["loud"], "peaky": -30.0 + gains["peaky"]}
    assert after["quiet"] == pytest.approx(after["loud"])
    assert after["quiet"] == pytest.approx(after["peaky"])
    # The peaky one has 28 dB between its loudness and its peak, which is let up to -1 dBFS.
    assert after["quiet"] == pytest.approx(-29.0)


def test_silence_is_left_as_it_is():
    gains = matching_gains_db({"silent": -np.inf, "voice": -26.0}, {"silent": -180.0, "voice": -10.0})
    assert gains == {"silent": 0.0, "voice": pytest.approx(6.0)}


def test_a_silent_version_is_told_as_such(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    row = ClipResult("a", "noisy", RATE, 1.0, {"si_sdr_db": 1.0}, files={"noisy": str(tmp_path / "a.wav")})
    (version,) = prepare(Results([row]), "a").versions
    assert (version.gain_db, version.lufs) == (0.0, None)


def test_long_clips_are_cut_and_many_channels_become_one(tmp_path):
    audio = 0.1 * np.random.default_rng(0).standard_normal((round((LONGEST_S + 5.0) * 8_000), 4))
    soundfile.write(tmp_path / "a.wav", audio, 8_000)
    row = ClipResult("a", "noisy", 8_000, 25.0, {"si_sdr_db": 1.0}, files={"noisy": str(tmp_path / "a.wav")})
    found = prepare(Results([row]), "a")
    heard, rate = soundfile.read(io.BytesIO(base64.b64decode(found.versions[0].audio.partition(",")[2])))
    assert (found.cut_at_s, heard.ndim, rate) == (LONGEST_S, 1, 8_000)
    assert heard.size / rate == pytest.approx(LONGEST_S, abs=0.1)


def test_a_file_that_cannot_be_read_is_told_and_the_others_play(made, tmp_path):
    results, _ = made
    row = results.get("clip00", "first")
    files = {**row.files, "enhanced": str(tmp_path / "gone.wav")}
    broken = Results(
        [results.get("clip00", "noisy"), ClipResult(row.clip, row.enhancer, RATE, 2.0, row.values, files=files)]
    )
    write_html(broken, tmp_path / "r.html")
    page = Page(tmp_path / "r.html")
    assert [version["name"] for version in page.players["clip00"]["versions"]] == ["noisy", "reference"]
    assert "gone.wav" in page.shown


def test_a_page_has_no_more_players_than_wanted(made, tmp_path):
    results, _ = made
    write_html(results, tmp_path / "r.html", max_clips=1)
    page = Page(tmp_path / "r.html")
    assert len(page.players) == 1
    assert "No audio of this clip is in this file." in page.shown


def test_players_stop_where_the_page_would_grow_too_large(made):
    results, _ = made
    whole = make_players(results, ["clip00", "clip01", "clip02"])
    size = whole.by_clip["clip00"].size
    players = make_players(results, ["clip00", "clip01", "clip02"], most_bytes=size + 1_000)
    assert list(players.by_clip) == ["clip00"]
    assert players.left_out == 2
