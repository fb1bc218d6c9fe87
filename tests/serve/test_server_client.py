"""The Python client with files: what comes back, what is raised, and what is left on the disk."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from live_server import running_server

import unmuffle
from unmuffle.errors import AudioFileError, InvalidAudioError, InvalidParameterError
from unmuffle.serve.client import AsyncClient, Client, ServerError, analyze, connect_stream, enhance_file, open_stream

RATE = 16_000


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture
def noisy_file(tmp_path, noisy_speech, write_file):
    return write_file(tmp_path / "noisy.wav", noisy_speech(RATE, 1.0), RATE, "FLOAT")


def enhanced(path) -> np.ndarray:
    audio, rate = soundfile.read(path, dtype="float32")
    return unmuffle.enhance(audio, rate)


def test_a_file_comes_back_as_the_package_makes_it(server, noisy_file, tmp_path, names_in):
    assert enhance_file(server.url, noisy_file, tmp_path / "clear.wav") == tmp_path / "clear.wav"
    heard = soundfile.read(tmp_path / "clear.wav", dtype="float32")[0]
    np.testing.assert_allclose(heard, enhanced(noisy_file), atol=2.0**-15)
    assert names_in(tmp_path) == ["clear.wav", "noisy.wav"]


def test_options_and_what_there_is(server, noisy_file, tmp_path):
    with Client(server.url) as client:
        client.enhance_file(noisy_file, tmp_path / "same.flac", strength=0.0)
        same = soundfile.read(tmp_path / "same.flac", dtype="float32")[0]
        np.testing.assert_allclose(same, soundfile.read(noisy_file, dtype="float32")[0], atol=2.0**-15)
        assert any(model["default"] for model in client.models())
        assert "meeting" in [preset["name"] for preset in client.presets()]
    assert analyze(server.url, noisy_file)["info"]


def test_a_job(server, noisy_file, tmp_path):
    with Client(server.url) as client:
        job = client.submit(noisy_file)
        assert client.wait(job)["state"] == "done"
        heard = soundfile.read(client.fetch(job, tmp_path / "clear.wav"), dtype="float32")[0]
        np.testing.assert_allclose(heard, enhanced(noisy_file), atol=2.0**-15)
        client.cancel(job)
        with pytest.raises(ServerError) as gone:
            client.job(job)
    assert (gone.value.status, gone.value.code) == (404, "not_found")


def test_asynchronously(server, noisy_file, tmp_path):
    async def work() -> None:
        async with AsyncClient(server.url) as client:
            whole = client.enhance_file(noisy_file, tmp_path / "clear.wav")
            told, models, _ = await asyncio.gather(client.analyze(noisy_file), client.models(), whole)
            assert told["info"]
            assert models == await client.models()
            job = await client.submit(noisy_file, strength=0.5)
            assert (await client.wait(job))["state"] == "done"
            await client.fetch(job, tmp_path / "half.wav")
            await client.cancel(job)
            assert await client.presets()

    asyncio.run(work())
    heard = soundfile.read(tmp_path / "clear.wav", dtype="float32")[0]
    np.testing.assert_allclose(heard, enhanced(noisy_file), atol=2.0**-15)


def test_what_the_server_refuses_is_raised_and_leaves_nothing(server, noisy_file, tmp_path, names_in):
    (tmp_path / "text.wav").write_text("this is no audio")
    with Client(server.url) as client:
        with pytest.raises(ServerError) as refused:
            client.enhance_file(noisy_file, tmp_path / "out.wav", preset="nothing")
        assert (refused.value.status, refused.value.code) == (422, "invalid")
        assert len(refused.value.request_id) == 32
        with pytest.raises(ServerError) as refused:
            client.enhance_file(tmp_path / "text.wav", tmp_path / "out.wav")
        assert refused.value.status == 415
        with pytest.raises(AudioFileError, match=r"missing\.wav"):
            client.enhance_file(tmp_path / "missing.wav", tmp_path / "out.wav")
    assert names_in(tmp_path) == ["noisy.wav", "text.wav"]


def test_when_to_try_again_is_told(noisy_file):
    with running_server(requests_per_minute=1) as server, Client(server.url) as client:
        client.models()
        with pytest.raises(ServerError) as refused:
            client.models()
    assert refused.value.status == 429
    assert 1.0 <= refused.value.retry_after_s <= 60.0


def test_blocks_of_a_wrong_shape_or_type(server):
    with open_stream(server.url, RATE, 2) as stream:
        for block in (np.zeros(10), np.zeros((1, 10)), np.zeros((2, 10), bool), np.zeros((2, 10), np.int64)):
            with pytest.raises(InvalidAudioError):
                stream.send(block)
        stream.send(np.zeros((2, 10), np.int16))
        stream.finish()
        assert [block.shape for _, block in stream] == [(2, 10)]
        with pytest.raises(ServerError, match="has ended"):
            stream.send(np.zeros((2, 10)))


def test_sixteen_bits_and_floats_mean_the_same(server, noisy_speech):
    audio = np.round(32_768 * noisy_speech(RATE, 0.3)[0]).astype(np.int16)
    heard = []
    for given, kind in ((audio, "f32le"), (audio / 32_768.0, "f32le"), (audio / 32_768.0, "s16le")):
        with open_stream(server.url, RATE, format=kind) as stream:
            stream.send(given)
            stream.finish()
            block = np.concatenate([block for _, block in stream])
            heard.append(block / 32_768.0 if block.dtype == np.int16 else block)
    np.testing.assert_array_equal(heard[0], heard[1])
    np.testing.assert_allclose(heard[2], heard[1], atol=2.0**-15)


def test_an_address_that_is_none():
    with pytest.raises(InvalidParameterError, match="must begin with"):
        open_stream("127.0.0.1:8000", RATE)
    with pytest.raises(InvalidParameterError, match="must begin with"):
        connect_stream("ftp://127.0.0.1", RATE)


def test_a_client_needs_no_server_packages():
    code = "import sys, unmuffle.serve.client; sys.exit(any(name in sys.modules for name in ('starlette', 'uvicorn')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
