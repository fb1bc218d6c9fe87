"""POST /v1/enhance gives what ``enhance_file`` gives."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from files_server import FileServer, decoded, running, wait_until

from unmuffle import Enhancer

ONE_STEP = 1.01 / 2**15


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with running(tmp_path_factory.mktemp("serve")) as found:
        yield found


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory, write_file, noisy_speech) -> Path:
    return write_file(tmp_path_factory.mktemp("talk") / "talk.wav", noisy_speech(16_000, 2.0, 2))


@pytest.mark.parametrize(
    ("query", "settings", "suffix"),
    [
        ({}, {}, "wav"),
        ({"strength": "0.5", "format": "flac"}, {"strength": 0.5}, "flac"),
        ({"strength": "auto"}, {"strength": "auto"}, "wav"),
        ({"method": "log_mmse"}, {"method": "log_mmse"}, "wav"),
        ({"preset": "podcast", "format": "flac"}, {"preset": "podcast"}, "flac"),
        ({"keep": "music"}, {"keep": "music"}, "wav"),
    ],
)
def test_the_answer_is_what_enhance_file_gives(server, talk, tmp_path, query, settings, suffix):
    answer = server.client.post("/v1/enhance", params=query, content=talk.read_bytes())
    assert answer.status_code == 200, answer.text
    wanted = tmp_path / f"wanted.{suffix}"
    Enhancer(**settings).enhance_file(talk, wanted)
    got, rate = decoded(answer.content)
    told, its_rate = decoded(wanted.read_bytes())
    assert (rate, got.shape) == (its_rate, told.shape)
    np.testing.assert_allclose(got, told, atol=ONE_STEP)
    assert answer.headers["content-disposition"] == f'attachment; filename="enhanced.{suffix}"'
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize(
    ("wanted", "codec"), [("mp3", "mp3"), ("opus", "opus"), ("flac", "flac"), ("wav", "pcm_s16le")]
)
def test_formats_are_what_they_say(server, talk, tmp_path, wanted, codec):
    answer = server.client.post("/v1/enhance", params={"format": wanted}, content=talk.read_bytes())
    path = tmp_path / "answer"
    path.write_bytes(answer.content)
    with av.open(str(path)) as file:
        assert file.streams.audio[0].codec_context.name.removesuffix("float") in (codec, f"lib{codec}")
        assert file.streams.audio[0].channels == 2


def test_a_form_gives_the_same_as_the_bare_body_and_names_the_result(server, talk):
    bare = server.client.post("/v1/enhance", content=talk.read_bytes())
    form = server.client.post("/v1/enhance", files={"file": ("C:\\talks\\Grüße.wav", talk.read_bytes(), "x/y")})
    assert form.content == bare.content
    assert form.headers["content-disposition"] == "attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.clear.wav"


def test_a_body_that_comes_in_pieces_of_unknown_number_is_taken(server, talk):
    data = talk.read_bytes()
    whole = server.client.post("/v1/enhance", content=data)
    pieces = server.client.post("/v1/enhance", content=(data[at : at + 777] for at in range(0, len(data), 777)))
    assert "content-length" not in pieces.request.headers
    assert pieces.content == whole.content


def test_original_keeps_the_picture_of_a_video_bit_for_bit(server, talk, tmp_path):
    video = tmp_path / "talk.mp4"
    make = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=2", "-i", str(talk)]
    subprocess.run([*make, "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", str(video)], check=True)
    sent = {"file": ("talk.mp4", video.read_bytes())}
    answer = server.client.post("/v1/enhance", params={"format": "original"}, files=sent)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    enhanced = tmp_path / "enhanced.mp4"
    enhanced.write_bytes(answer.content)
    assert _packets(enhanced) == _packets(video)


def test_what_could_not_be_kept_is_told(server, talk):
    clipped = np.zeros(32_000, np.float32)
    clipped[100] = np.nan
    stored = io.BytesIO()
    soundfile.write(stored, clipped, 16_000, format="WAV", subtype="FLOAT")
    answer = server.client.post("/v1/enhance", files={"file": ("hole.wav", stored.getvalue())})
    assert answer.status_code == 200
    assert json.loads(answer.headers["x-unmuffle-warnings"]) == [
        "hole.wav has 1 NaN or infinite samples: replaced by silence"
    ]


def test_the_time_of_each_stage_is_counted(server, talk):
    def counts() -> dict[str, float]:
        text = server.client.get("/metrics").text
        return {
            stage: float(count)
            for stage, count in re.findall(r'unmuffle_stage_seconds_count\{stage="(\w+)".*\} (\S+)', text)
        }

    server.client.post("/v1/enhance", content=talk.read_bytes())
    before = counts()
    server.client.post("/v1/enhance", content=talk.read_bytes())
    after = counts()
    assert {stage: after[stage] - before[stage] for stage in ("upload", "wait", "enhance")} == dict.fromkeys(
        ("upload", "wait", "enhance"), 1.0
    )


def test_nothing_is_left_after_the_answers(server, talk):
    assert server.client.post("/v1/enhance", content=talk.read_bytes()).status_code == 200
    server.wait_until_clean()


def test_only_we_can_read_what_comes(server, talk, monkeypatch):
    seen: list[int] = []
    task = type(server.work).task

    def look(self, kind, received, **options):
        places = (received.uploads["file"].path, received.folder, received.folder.parent)
        seen.extend(place.stat().st_mode & 0o777 for place in places)
        return task(self, kind, received, **options)

    monkeypatch.setattr(type(server.work), "task", look)
    assert server.client.post("/v1/enhance", content=talk.read_bytes()).status_code == 200
    assert seen == [0o600, 0o700, 0o700]


def test_the_same_again_comes_from_the_cache(talk, tmp_path):
    with running(tmp_path / "temporary", cache=tmp_path / "cache") as server:

        def ask(**query: str) -> tuple[str, bytes]:
            answer = server.client.post("/v1/enhance", params=query, content=talk.read_bytes())
            return answer.headers["x-unmuffle-cache"], answer.content

        first, again, weaker = ask(), ask(), ask(strength="0.5")
        assert [first[0], again[0], weaker[0]] == ["miss", "hit", "miss"]
        assert first[1] == again[1] != weaker[1]
        job = server.client.post("/v1/jobs", content=talk.read_bytes()).json()
        wait_until(lambda: server.client.get(job["status_url"]).json()["state"] == "done", 10.0)
        result = server.client.get(job["result_url"])
        assert (result.headers["x-unmuffle-cache"], result.content) == ("hit", first[1])
        numbers = server.client.get("/metrics").text
        assert re.search(r"^unmuffle_cache_hits_total.* 2\.0$", numbers, re.MULTILINE)
        assert re.search(r"^unmuffle_cache_misses_total.* 2\.0$", numbers, re.MULTILINE)


def test_without_a_cache_nothing_is_told_of_one(server, talk):
    assert "x-unmuffle-cache" not in server.client.post("/v1/enhance", content=talk.read_bytes()).headers


def _packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as file:
        return [bytes(packet) for packet in file.demux(video=0) if packet.size]
