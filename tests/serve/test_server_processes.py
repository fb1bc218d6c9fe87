"""``unmuffle serve`` as users run it: it stops without losing audio, and several workers are one server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from live_server import eventually, metric, running_server, serving_process

import unmuffle
from unmuffle.serve.client import ServerError, connect_stream
from unmuffle.serve.keys import hash_of_key

RATE = 16_000


def alone(audio: np.ndarray) -> np.ndarray:
    stream = unmuffle.open_stream(RATE)
    return np.concatenate((stream.process(audio), stream.flush()))


async def talk_until_closed(url: str, audio: np.ndarray) -> tuple[np.ndarray, int, str]:
    """Send in real time until the server closes; return what was heard, how much was sent, and how it ended."""
    heard, sent, end = [], 0, ""
    async with connect_stream(url, RATE, reconnect=False) as stream:

        async def speak() -> None:
            nonlocal sent
            for at in range(0, len(audio), 320):
                await stream.send(audio[at : at + 320])
                sent = at + 320
                await asyncio.sleep(0.02)

        speaking = asyncio.create_task(speak())
        try:
            async for position, block in stream:
                assert position == sum(map(len, heard))
                heard.append(block)
        except ServerError as error:
            end = str(error)
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)
        assert stream.messages.finished
    return np.concatenate(heard), sent, end


def test_told_to_stop_under_load_it_answers_all_that_it_has_taken(noisy_speech):
    audio = noisy_speech(RATE, 20.0)[0].astype(np.float32)
    with serving_process("--drain-s", "0.5") as server:

        async def talk() -> list[tuple[np.ndarray, int, str]]:
            talking = [asyncio.create_task(talk_until_closed(server.url, audio)) for _ in range(10)]
            await asyncio.sleep(1.0)
            server.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.25)
            status, told = await asyncio.to_thread(server.get, "/readyz")
            assert (status, json.loads(told)["error"]["code"]) == (503, "draining")
            with pytest.raises(ServerError, match="about to stop"):
                async with connect_stream(server.url, RATE):
                    pass
            return await asyncio.gather(*talking)

        ends = asyncio.run(talk())
        assert server.process.wait(20.0) == 0
    for heard, sent, end in ends:
        assert "finished" in end
        # All but what was on its way when the server closed.
        assert sent - len(heard) <= RATE * 0.5
        assert len(heard) > RATE * 1.0
        np.testing.assert_allclose(heard, alone(audio[: len(heard)]), atol=1e-4)
    assert [line["event"] for line in server.log if line["event"] in ("draining", "stopped")] == ["draining", "stopped"]


def test_a_stream_goes_on_with_the_server_that_comes_after(noisy_speech):
    """Nothing is lost: what the first one did not answer is sent to the second."""
    audio = noisy_speech(RATE, 3.0)[0].astype(np.float32)
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]

    async def talk(stopped: asyncio.Event) -> list[tuple[int, int]]:
        async with connect_stream(f"http://127.0.0.1:{port}", RATE) as stream:

            async def speak() -> None:
                for at in range(0, len(audio), 320):
                    await stream.send(audio[at : at + 320])
                    await asyncio.sleep(0.005)
                    if at == 16_000:
                        stopped.set()
                await stream.finish()

            speaking = asyncio.create_task(speak())
            answers = [(position, len(block)) async for position, block in stream]
            await speaking
            return answers

    async def both() -> list[tuple[int, int]]:
        stopped = asyncio.Event()
        first = running_server(port=port, drain_s=0.0)
        await asyncio.to_thread(first.__enter__)
        talking = asyncio.create_task(talk(stopped))
        await asyncio.wait_for(stopped.wait(), 20.0)
        await asyncio.to_thread(first.__exit__, None, None, None)
        with running_server(port=port):
            return await asyncio.wait_for(talking, 20.0)

    answers = asyncio.run(both())
    at = 0
    for position, length in answers:
        assert position == at
        at += length
    assert at == len(audio)


def test_told_twice_it_waits_no_longer(noisy_speech):
    audio = noisy_speech(RATE, 20.0)[0].astype(np.float32)
    with serving_process("--drain-s", "30") as server:

        async def talk() -> float:
            talking = asyncio.create_task(talk_until_closed(server.url, audio))
            await asyncio.sleep(0.5)
            begun_s = time.monotonic()
            server.process.send_signal(signal.SIGINT)
            await asyncio.sleep(0.3)
            server.process.send_signal(signal.SIGINT)
            await talking
            return time.monotonic() - begun_s

        assert asyncio.run(talk()) < 10.0
        assert server.process.wait(20.0) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
def test_workers_are_one_server():
    with serving_process("--workers", "2") as server:
        both = ('unmuffle_streams{worker="0"}', 'unmuffle_streams{worker="1"}')
        assert eventually(lambda: all(line in server.get("/metrics")[1] for line in both), 60.0)
        assert metric(server.get("/metrics")[1], "unmuffle_stream_capacity") == 128
        assert eventually(lambda: {0, 1} <= {line.get("worker") for line in server.log if server.get("/v1/models")})
        # One that dies is replaced.
        children = workers_of(server.process.pid)
        assert len(children) == 2
        os.kill(children[0], signal.SIGKILL)
        assert eventually(lambda: any("replaced" in line["event"] for line in server.log), 20.0)
        assert eventually(lambda: all(line in server.get("/metrics")[1] for line in both), 60.0)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30.0) == 0


def test_workers_end_with_whoever_started_them():
    with serving_process("--workers", "2") as server:
        server.process.kill()
        # The socket is closed once no process has it any more.
        assert eventually(lambda: not is_listening(server.port), 30.0)


def workers_of(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def is_listening(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def test_a_key_is_made_and_lets_in(run_command, tmp_path):
    words = run_command("serve", "--make-key").stdout.decode().split()
    key, digest = words[1], words[3]
    assert hash_of_key(key) == digest


def test_an_address_that_is_taken_is_told_in_one_line(run_command):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_command("serve", "--port", port)
    assert done.returncode == 1
    assert done.stderr.decode().startswith(f"unmuffle: cannot listen on 127.0.0.1 port {port}")
