"""Live streams through a real socket: the same as a lone stream, in any frames, at any rate, and to the last sample."""

from __future__ import annotations

import asyncio
import json
import socket

import numpy as np
import pytest
from live_server import Running, eventually, metric, running_server
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

import unmuffle
from unmuffle.serve.app import create_app
from unmuffle.serve.client import ServerError, connect_stream, open_stream
from unmuffle.serve.direct import DirectProtocol
from unmuffle.serve.settings import ServerSettings


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


def lone_stream(audio: np.ndarray, rate: int, **options: object) -> np.ndarray:
    stream = unmuffle.open_stream(rate, 1 if audio.ndim == 1 else len(audio), **options)
    return np.concatenate((stream.process(audio), stream.flush()), axis=-1)


def through_socket(server: Running, audio: np.ndarray, rate: int, frame: int, **options: object) -> np.ndarray:
    """Send an array in frames, and put the answers together by their positions."""
    channels = 1 if audio.ndim == 1 else len(audio)
    cleared = np.full((channels, audio.shape[-1]), np.nan, np.float32)
    with open_stream(server.url, rate, channels, **options) as stream:
        for at in range(0, audio.shape[-1], frame):
            stream.send(audio[..., at : at + frame])
        stream.finish()
        for position, block in stream:
            rows = np.atleast_2d(block)
            cleared[:, position : position + rows.shape[1]] = rows
    return cleared[0] if audio.ndim == 1 else cleared


@pytest.mark.parametrize(
    ("rate", "channels", "frame"), [(16_000, 1, 320), (48_000, 2, 960), (8_000, 1, 37), (44_100, 1, 30_000)]
)
def test_as_a_lone_stream(server, noisy_speech, rate, channels, frame):
    audio = noisy_speech(rate, 1.0, channels).astype(np.float32)
    audio = audio[0] if channels == 1 else audio
    np.testing.assert_allclose(through_socket(server, audio, rate, frame), lone_stream(audio, rate), atol=1e-4)


def test_a_preset_as_in_a_lone_stream(server, noisy_speech):
    audio = noisy_speech(16_000, 1.0)[0].astype(np.float32)
    expected = lone_stream(audio, 16_000, preset="meeting")
    np.testing.assert_allclose(through_socket(server, audio, 16_000, 320, preset="meeting"), expected, atol=1e-4)


def test_sixteen_bits(server, noisy_speech):
    audio = np.round(32_768 * noisy_speech(16_000, 0.5)[0]).astype(np.int16)
    heard = through_socket(server, audio, 16_000, 320, format="s16le")
    assert np.abs(heard - lone_stream(audio, 16_000)).max() <= 1 + 1e-4 * 32_768


def test_strength_0_gives_the_input(server, noisy_speech):
    audio = noisy_speech(16_000, 0.5)[0].astype(np.float32)
    np.testing.assert_array_equal(through_socket(server, audio, 16_000, 320, strength=0.0), audio)


def test_one_byte_a_message(server, noisy_speech):
    audio = np.round(32_768 * noisy_speech(16_000, 0.1)[0]).astype("<i2")
    messages, told = converse(server, [audio.tobytes()[at : at + 1] for at in range(2 * len(audio))])
    assert told["samples"] == len(audio)
    heard = np.frombuffer(b"".join(message[8:] for message in messages), "<i2")
    assert np.abs(heard - lone_stream(audio, 16_000).astype(int)).max() <= 4


def test_ten_seconds_in_one_message(server, noisy_speech):
    audio = np.round(32_768 * noisy_speech(16_000, 10.0)[0]).astype("<i2")
    messages, told = converse(server, [audio.tobytes()])
    assert told["samples"] == len(audio)
    heard = np.frombuffer(b"".join(message[8:] for message in messages), "<i2")
    assert np.abs(heard - lone_stream(audio, 16_000).astype(int)).max() <= 4


def test_positions_follow_one_another(server, noisy_speech):
    audio = np.round(32_768 * noisy_speech(16_000, 1.0)[0]).astype("<i2")
    messages, told = converse(server, [audio[at : at + 320].tobytes() for at in range(0, len(audio), 320)])
    at = 0
    for message in messages:
        assert int.from_bytes(message[:8], "little") == at
        at += (len(message) - 8) // 2
    assert at == told["samples"] == len(audio)


def converse(server: Running, samples: list[bytes], **hello: object) -> tuple[list[bytes], dict]:
    """Send messages, finish, and return the binary answers and the last text."""
    with connect(f"ws://127.0.0.1:{server.port}/v1/stream", compression=None) as connection:
        connection.send(json.dumps({"type": "hello", "sample_rate": 16_000} | hello))
        assert json.loads(connection.recv())["type"] == "ready"
        for message in samples:
            connection.send(message)
        connection.send(json.dumps({"type": "finish"}))
        answers = list(connection)
        assert connection.close_code == 1000
    return answers[:-1], json.loads(answers[-1])


def test_the_asynchronous_client_sends_and_hears_at_once(server, noisy_speech):
    audio = noisy_speech(16_000, 2.0)[0].astype(np.float32)

    async def clear() -> np.ndarray:
        async with connect_stream(server.url, 16_000) as stream:

            async def speak() -> None:
                for at in range(0, len(audio), 320):
                    await stream.send(audio[at : at + 320])
                statistics = await stream.statistics()
                assert statistics["seconds"] == pytest.approx(2.0)
                await stream.finish()

            speaking = asyncio.create_task(speak())
            blocks = [block async for _, block in stream]
            await speaking
        return np.concatenate(blocks)

    np.testing.assert_allclose(asyncio.run(clear()), lone_stream(audio, 16_000), atol=1e-4)


def test_strength_may_change(server, noisy_speech):
    audio = noisy_speech(16_000, 2.0)[0].astype(np.float32)
    with open_stream(server.url, 16_000) as stream:
        stream.send(audio[:16_000])
        blocks = [stream.receive(10.0)[1]]
        while stream.messages.position < 15_000:
            blocks.append(stream.receive(10.0)[1])
        stream.set_strength(0.0)
        stream.send(audio[16_000:])
        stream.finish()
        heard = np.concatenate([*blocks, *(block for _, block in stream)])
    assert np.abs(heard[:15_000] - audio[:15_000]).max() > 0.01
    np.testing.assert_array_equal(heard[-8_000:], audio[-8_000:])


def test_after_a_reset_positions_go_on(server, noisy_speech):
    audio = noisy_speech(16_000, 1.0)[0].astype(np.float32)
    with open_stream(server.url, 16_000) as stream:
        stream.send(audio)
        while stream.messages.position < 15_000:
            assert stream.receive(10.0) is not None
        stream.reset()
        stream.send(audio)
        stream.finish()
        answers = list(stream)
    assert stream.messages.position == 2 * len(audio)
    heard = np.concatenate([block for position, block in answers if position >= len(audio)])
    np.testing.assert_allclose(heard, lone_stream(audio, 16_000), atol=1e-4)


@pytest.mark.parametrize(
    ("hello", "said"),
    [
        ({"sample_rate": 4_000}, "sample_rate is '4000'; it must be a number from 8000 to 192000"),
        ({"sample_rate": 16_000, "channels": 9}, "channels"),
        ({"sample_rate": 16_000, "preset": "../../etc/passwd"}, "there is no preset"),
        ({"sample_rate": 16_000, "format": "mp3"}, "the format is 'mp3'"),
        ({"sample_rate": 16_000, "strength": 2}, "strength"),
        ({"sample_rate": 16_000, "sampel_rate": 2}, "there is no parameter 'sampel_rate'"),
        ({}, "sample_rate is 'None'"),
    ],
)
def test_a_wrong_hello_is_told_why(server, hello, said):
    with connect(f"ws://127.0.0.1:{server.port}/v1/stream") as connection:
        connection.send(json.dumps({"type": "hello"} | hello))
        told = json.loads(connection.recv())
        assert told["type"] == "error"
        assert said in told["message"]
        with pytest.raises(ConnectionClosedError):
            connection.recv()
        assert connection.close_code == 1003


def test_more_than_ten_seconds_in_a_message_are_refused(server):
    with connect(f"ws://127.0.0.1:{server.port}/v1/stream", compression=None) as connection:
        connection.send(json.dumps({"type": "hello", "sample_rate": 16_000}))
        assert json.loads(connection.recv())["type"] == "ready"
        connection.send(bytes(320_002))
        assert json.loads(connection.recv())["message"] == "one message holds at most 10 s of audio"


def test_no_more_streams_than_there_is_room_for():
    with running_server(capacity=2) as server:
        with open_stream(server.url, 16_000, 2):
            assert server.get("/readyz")[0] == 503
            with pytest.raises(ServerError, match="free") as refused, open_stream(server.url, 16_000):
                pass
            assert (refused.value.code, refused.value.retry_after_s) == ("full", 1.0)
        assert eventually(lambda: server.get("/readyz")[0] == 200)
        with open_stream(server.url, 16_000):
            pass
        assert metric(server.get("/metrics")[1], "unmuffle_streams_refused_total", code="full") == 1


def test_through_any_asgi_server(noisy_speech):
    """Without uvicorn's transport, as under another server."""
    audio = np.round(32_768 * noisy_speech(16_000, 1.0)[0]).astype("<i2")
    app = create_app(ServerSettings(on_overload="keep", capacity=4))
    heard = []
    with TestClient(app) as client, client.websocket_connect("ws://127.0.0.1/v1/stream") as connection:
        connection.send_json({"type": "hello", "sample_rate": 16_000})
        assert connection.receive_json()["type"] == "ready"
        for at in range(0, len(audio), 320):
            connection.send_bytes(audio[at : at + 320].tobytes())
        connection.send_json({"type": "finish"})
        while (message := connection.receive())["type"] != "websocket.close":
            if message.get("bytes"):
                heard.append(np.frombuffer(message["bytes"][8:], "<i2"))
        assert message["code"] == 1000
    assert np.abs(np.concatenate(heard) - lone_stream(audio, 16_000).astype(int)).max() <= 4


def test_another_hello_changes_the_rate_when_all_is_answered(server, noisy_speech):
    first = np.round(32_768 * noisy_speech(16_000, 0.7)[0]).astype("<i2")
    second = noisy_speech(48_000, 0.7, 2).astype("<f4")
    with connect(f"ws://127.0.0.1:{server.port}/v1/stream", compression=None) as connection:
        connection.send(json.dumps({"type": "hello", "sample_rate": 16_000}))
        connection.send(first.tobytes())
        connection.send(json.dumps({"type": "hello", "sample_rate": 48_000, "channels": 2, "format": "f32le"}))
        for at in range(0, second.shape[1], 960):
            connection.send(np.ascontiguousarray(second[:, at : at + 960].T).tobytes())
        connection.send(json.dumps({"type": "finish"}))
        answers = list(connection)
    told = [json.loads(answer) for answer in answers if isinstance(answer, str)]
    assert [message["type"] for message in told] == ["ready", "finished", "ready", "finished"]
    assert [told[1]["samples"], told[3]["samples"]] == [len(first), second.shape[1]]
    assert (told[2]["sample_rate"], told[2]["channels"], told[2]["format"]) == (48_000, 2, "f32le")
    place = next(place for place, answer in enumerate(answers) if isinstance(answer, str) and "finished" in answer)
    before = np.frombuffer(b"".join(part[8:] for part in answers[:place] if isinstance(part, bytes)), "<i2")
    after = np.frombuffer(b"".join(part[8:] for part in answers[place:] if isinstance(part, bytes)), "<f4")
    assert np.abs(before - lone_stream(first, 16_000).astype(int)).max() <= 4
    np.testing.assert_allclose(after.reshape(-1, 2).T, lone_stream(second, 48_000), atol=1e-4)


def test_no_answer_waits_for_the_next_frame(server):
    """However the listening socket was made; the delay of Nagle's algorithm would be that of a frame."""
    with open_stream(server.url, 16_000):
        connections = [part for part in server.server.server_state.connections if isinstance(part, DirectProtocol)]
        assert connections
        for connection in connections:
            connected = connection.transport.get_extra_info("socket")
            assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
