"""``preset=auto``: the server diagnoses a file, and does to it what the command line does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from files_server import FileServer, decoded, running, silent_flac, wait_until
from live_server import running_server

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.diagnosis import diagnose_file
from unmuffle.models import default_model
from unmuffle.serve.client import ServerError, open_stream

RATE = 16_000
ONE_STEP = 1.01 / 2**15
AUTO = {"preset": "auto"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with running(tmp_path_factory.mktemp("serve"), max_duration_s=60.0) as found:
        yield found


@pytest.fixture(scope="module")
def humming(tmp_path_factory: pytest.TempPathFactory, noisy_speech, write_file) -> Path:
    hum = 0.03 * np.sin(2.0 * np.pi * 50.0 * np.arange(8 * RATE) / RATE)
    return write_file(tmp_path_factory.mktemp("hum") / "humming.wav", noisy_speech(RATE, 8.0) + hum, RATE)


@pytest.mark.parametrize("options", [{}, {"strength": "0.5", "method": "wiener"}])
def test_the_answer_is_what_the_command_line_gives(server, humming, tmp_path, run_command, options):
    answer = server.client.post("/v1/enhance", params=AUTO | options, content=humming.read_bytes())
    assert answer.status_code == 200, answer.text
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    done = run_command("enhance", humming, "-o", tmp_path / "wanted.wav", "--preset", "auto", *words)
    assert done.returncode == 0
    wanted = decoded((tmp_path / "wanted.wav").read_bytes())[0]
    np.testing.assert_allclose(decoded(answer.content)[0], wanted, atol=ONE_STEP)
    assert answer.headers["x-unmuffle-chain"] == str(diagnose_file(humming))
    assert answer.headers["x-unmuffle-chain"].count("dehum:mains_hz=50.0") == 1


def test_what_needs_nothing_comes_back_as_it_was(server, tmp_path):
    audio = np.zeros(RATE)
    audio[100:103] = 1.0 / 32768, -1.0, 32767 / 32768
    soundfile.write(tmp_path / "impulse.wav", audio, RATE)
    answer = server.client.post("/v1/enhance", params=AUTO, content=(tmp_path / "impulse.wav").read_bytes())
    assert (answer.status_code, answer.headers["x-unmuffle-chain"]) == (200, "")
    np.testing.assert_array_equal(decoded(answer.content)[0], [audio])


def test_a_job_tells_what_was_chosen(server, humming):
    job = server.client.post("/v1/jobs", params=AUTO, content=humming.read_bytes()).json()
    told = lambda: server.client.get(job["status_url"]).json()  # noqa: E731
    assert told()["chain"] is None
    wait_until(lambda: told()["state"] == "done", 30.0)
    assert told()["chain"] == str(diagnose_file(humming))
    assert server.client.get(job["result_url"]).headers["x-unmuffle-chain"] == told()["chain"]


def test_without_it_no_chain_is_told(server, humming):
    assert "x-unmuffle-chain" not in server.client.post("/v1/enhance", content=humming.read_bytes()).headers


def test_the_servers_network_is_used(tmp_path, humming):
    model = Path(shutil.copy(default_model().path, tmp_path / "own.onnx"))
    with running(tmp_path / "temporary", model=str(model)) as server:
        used = server.client.post("/v1/enhance", params=AUTO, content=humming.read_bytes())
        plain = server.client.post("/v1/enhance", params=AUTO | {"method": "wiener"}, content=humming.read_bytes())
        assert (used.status_code, plain.status_code) == (200, 200)
        assert used.content != plain.content


def test_what_is_too_long_is_refused_all_the_same(server):
    for told in (None, 0):
        answer = server.client.post("/v1/enhance", params=AUTO, content=silent_flac(61.0, told_samples=told))
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_long")


def test_auto_is_named_among_the_presets_for_files(server):
    answer = server.client.post("/v1/enhance", params={"preset": "best"}, content=b"x")
    assert answer.json()["error"]["message"].endswith(", auto")


def test_a_live_stream_cannot_be_diagnosed_first_and_says_so():
    with running_server() as live:
        with pytest.raises(ServerError, match="preset auto needs the whole file") as refused:
            open_stream(live.url, RATE, preset="auto").__enter__()
        assert refused.value.code == "invalid"


def test_standard_input_cannot_be_read_twice():
    from unmuffle import Enhancer
    from unmuffle.measure.diagnosis import with_own_chain

    with pytest.raises(InvalidParameterError, match="cannot be read twice"):
        with_own_chain(Enhancer(), "-")


def test_the_result_is_kept_by_what_was_chosen(tmp_path, humming):
    with running(tmp_path / "temporary", cache=tmp_path / "cache") as server:

        def ask() -> httpx.Response:
            return server.client.post("/v1/enhance", params=AUTO, content=humming.read_bytes())

        first, again = ask(), ask()
        assert [answer.headers["x-unmuffle-cache"] for answer in (first, again)] == ["miss", "hit"]
        assert first.content == again.content
        assert first.headers["x-unmuffle-chain"] == again.headers["x-unmuffle-chain"]


def test_the_description_tells_of_it(server):
    paths = server.client.get("/openapi.json").json()["paths"]
    for path in ("/v1/enhance", "/v1/jobs"):
        (preset,) = (entry for entry in paths[path]["post"]["parameters"] if entry["name"] == "preset")
        assert "auto" in preset["description"]
    assert "chain" in json.dumps(paths["/v1/jobs/{id}"]["get"])
