"""What clients do wrong is their own loss: the others notice nothing, and no slot stays taken."""

from __future__ import annotations

import json
import shutil
import threading
import time
from contextlib import suppress

import numpy as np
import pytest
from live_server import Running, eventually, metric, running_server
from raw_websocket import HELLO, RawClient, frame

import unmuffle
from unmuffle.models import default_model
from unmuffle.serve.client import open_stream

RATE = 16_000


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture
def neighbour(server, noisy_speech):
    """A stream that goes on all the while; at the end it must have been what it is alone, and no slot be taken."""
    audio = noisy_speech(RATE, 1.5)[0].astype(np.float32)
    heard: list[np.ndarray] = []
    stop = threading.Event()

    def speak() -> None:
        with open_stream(server.url, RATE, reconnect=False) as stream:
            for at in range(0, len(audio), 320):
                stream.send(audio[at : at + 320])
                while (answer := stream.receive(0.0)) is not None:
                    heard.append(answer[1])
                stop.wait(0.005)
            stop.wait(10.0)
            stream.finish()
            heard.extend(block for _, block in stream)

    speaking = threading.Thread(target=speak)
    speaking.start()
    yield
    stop.set()
    speaking.join(30.0)
    alone = unmuffle.open_stream(RATE)
    np.testing.assert_allclose(np.concatenate(heard), np.concatenate((alone.process(audio), alone.flush())), atol=1e-4)
    assert eventually(lambda: open_streams(server) == 0)


def open_streams(server: Running) -> float:
    return metric(server.get("/metrics")[1], "unmuffle_streams")


pytestmark = pytest.mark.usefixtures("neighbour")


def test_a_client_killed_in_the_middle_of_a_frame(server):
    for _ in range(5):
        client = RawClient(server.port)
        client.send(frame(bytes(640)) + frame(bytes(640))[:100])
        client.kill()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(b"", mask=None), 1002),
        (frame(bytes(300), mask=None)[:4], 1002),
        (frame(bytes(300), mask=None)[:3] + b"!", 1002),
        (frame(b"x", opcode=3), 1002),
        (b"\xf2\x81\x00\x00\x00\x00x", 1002),
        (b"\x82\xff" + (1 << 40).to_bytes(8, "big") + bytes(4), 1009),
        (frame(b"x", opcode=0), 1002),
        (frame(bytes(200), opcode=9), 1002),
        (frame(b"\xff\xfe", opcode=1), 1007),
        (frame(b"not json", opcode=1), 1003),
        (frame(b"[1]", opcode=1), 1003),
        (frame(b'{"type": "dance"}', opcode=1), 1003),
        (frame(b'{"type": "strength", "value": NaN}', opcode=1), 1003),
        (frame(b'{"type": "strength"}', opcode=1), 1003),
        (frame(json.dumps(HELLO | {"sample_rate": 1}).encode(), opcode=1), 1003),
        (frame(b"[" * 4000, opcode=1), 1003),
        (frame(b" " * 5000, opcode=1), 1009),
        (frame(bytes(320_002)), 1009),
    ],
)
def test_garbage_ends_the_stream_that_sends_it(server, sent, code):
    with RawClient(server.port) as client:
        client.send(frame(bytes(640)) + sent)
        assert client.close_code() == code


def test_random_bytes(server):
    random = np.random.default_rng(0)
    for _ in range(20):
        with RawClient(server.port) as client:
            client.send(random.bytes(3_000))
            with suppress(OSError):
                client.send(frame(b"", opcode=8))
                client.socket.shutdown(1)
            assert client.close_code() != 1011


def test_samples_before_the_hello(server):
    with RawClient(server.port, hello=None) as client:
        client.send(frame(bytes(640)))
        told = client.texts()
    assert told[0]["code"] == "no_hello"


def test_fragments_and_pings_between_are_one_message(server, noisy_speech):
    audio = np.round(32_768 * noisy_speech(RATE, 0.5)[0]).astype("<i2")
    data = audio.tobytes()
    with RawClient(server.port) as client:
        client.send(frame(data[:1001], fin=False) + frame(b"?", opcode=9) + frame(data[1001:2000], opcode=0, fin=False))
        for byte in frame(data[2000:4000], opcode=0):
            client.send(bytes((byte,)))
        client.send(frame(data[4000:]) + frame(b'{"type": "finish"}', opcode=1))
        answers = []
        while (answer := client.receive())[0] != 8:
            answers.append(answer)
    assert (10, b"?") in answers
    heard = np.frombuffer(b"".join(payload[8:] for opcode, payload in answers if opcode == 2), "<i2")
    alone = unmuffle.open_stream(RATE)
    expected = np.concatenate((alone.process(audio), alone.flush()))
    assert np.abs(heard.astype(int) - expected).max() <= 4


def test_infinity_is_silence_and_counted(server):
    with open_stream(server.url, RATE) as stream:
        stream.send(np.full(3_200, np.inf, np.float32))
        stream.send(np.full(3_200, np.nan, np.float32))
        # All but what does not fill a hop, and waits for more.
        assert eventually(lambda: stream.statistics()["nonfinite_samples"] >= 6_400 - 256)
        stream.finish()
        assert not np.concatenate([block for _, block in stream]).any()


def test_connecting_and_leaving_all_the_time(server):
    before = server.get("/metrics")[1]

    def come_and_go(times: int) -> None:
        for turn in range(times):
            client = RawClient(server.port)
            client.send(frame(bytes(640)))
            client.kill() if turn % 2 else client.socket.close()

    begun_s = time.monotonic()
    threads = [threading.Thread(target=come_and_go, args=(25,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 60.0 * 100 / (time.monotonic() - begun_s) > 1000
    assert eventually(lambda: open_streams(server) <= 1)
    after = server.get("/metrics")[1]
    for name in ("unmuffle_streams_opened_total", "unmuffle_streams_closed_total"):
        # The neighbour may be counted or not yet.
        assert metric(after, name) - metric(before, name) in (99, 100, 101)


def test_a_model_file_that_is_removed_while_it_is_used(tmp_path, noisy_speech):
    copy = tmp_path / "own.onnx"
    shutil.copy(default_model().path, copy)
    audio = noisy_speech(RATE, 0.5)[0].astype(np.float32)
    with running_server(model=str(copy)) as server:
        copy.unlink()
        with open_stream(server.url, RATE) as stream:
            stream.send(audio)
            stream.finish()
            heard = np.concatenate([block for _, block in stream])
    alone = unmuffle.open_stream(RATE)
    np.testing.assert_allclose(heard, np.concatenate((alone.process(audio), alone.flush())), atol=1e-4)
