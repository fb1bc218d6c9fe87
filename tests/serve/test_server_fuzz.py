"""Whatever is sent: no fault of the server, and a neighbour's stream goes on."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_server import eventually, metric, running_server
from raw_websocket import RawClient, frame

from unmuffle.presets import list_presets
from unmuffle.serve.client import open_stream
from unmuffle.serve.errors_http import ApiError
from unmuffle.serve.pcm import FORMATS, PcmReader, PcmWriter, split_answer
from unmuffle.serve.stream_protocol import read_hello

PRESETS = [preset.name for preset in list_presets()]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["sample_rate", "channels", "format", "preset", "strength", "key", "value", "code"])
KINDS = st.sampled_from(["hello", "strength", "statistics", "reset", "finish", "dance"])
MESSAGES = st.builds(lambda kind, rest: {"type": kind} | rest, KINDS, st.dictionaries(NAMES, JSON, max_size=3))
FRAMES = st.one_of(
    st.builds(lambda message: frame(json.dumps(message).encode(), opcode=1), MESSAGES),
    st.builds(lambda text: frame(text.encode(), opcode=1), st.text(max_size=50)),
    st.builds(frame, st.binary(max_size=700), st.sampled_from([0, 2, 2, 2, 3, 8, 9, 10]), fin=st.booleans()),
    st.builds(frame, st.binary(max_size=70), mask=st.none()),
    st.binary(max_size=40),
)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def server():
    with running_server(requests_per_minute=1_000_000, hello_timeout_s=0.3, idle_timeout_s=0.3) as running:
        yield running
        assert eventually(lambda: metric(running.get("/metrics")[1], "unmuffle_streams") == 0)
        with open_stream(running.url, 16_000) as stream:
            stream.send(np.zeros(16_000, np.float32))
            stream.finish()
            assert sum(block.size for _, block in stream) == 16_000


@FEW
@given(frames=st.lists(FRAMES, min_size=1, max_size=5), said_hello=st.booleans())
def test_no_sequence_of_frames_is_a_fault_of_the_server(server, frames, said_hello):
    with RawClient(server.port, **({} if said_hello else {"hello": None})) as client:
        try:
            for data in frames:
                client.send(data)
            client.send(frame(b"\x03\xe8", opcode=8))
        except ConnectionError:
            return
        assert client.close_code() != 1011


@given(message=MESSAGES | JSON)
def test_a_hello_is_understood_or_refused(message):
    hello = None
    with suppress(ApiError):
        hello = read_hello(json.dumps(message))
    if hello is not None:
        assert 8_000 <= hello.sample_rate <= 192_000
        assert 1 <= hello.channels <= 8
        assert hello.preset in (None, *PRESETS)


@given(
    kind=st.sampled_from(list(FORMATS)),
    channels=st.integers(1, 4),
    frames=st.integers(0, 50),
    cuts=st.lists(st.integers(0, 800), max_size=8),
)
def test_samples_survive_any_cut_between_messages(kind, channels, frames, cuts):
    random = np.random.default_rng(0)
    samples = (1000 * random.standard_normal((channels, frames))).astype(FORMATS[kind])
    data = np.ascontiguousarray(samples.T).tobytes()
    reader = PcmReader(kind, channels)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    blocks = [reader.read(data[a:b]) for a, b in pairwise(edges)]
    joined = np.concatenate([np.atleast_2d(block) for block in blocks], axis=1)
    np.testing.assert_array_equal(joined, samples)
    position, payload = split_answer(PcmWriter(kind).write(joined, 2**40))
    assert position == 2**40
    assert payload == data


def test_no_request_that_the_description_allows_or_forbids_is_a_fault_of_the_server(server):
    """Fuzzes all of /openapi.json; what is not described may be refused, but with a reason."""
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    faults: list[str] = []
    for operation in schema.get_all_operations():

        @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.ok().as_strategy())
        def send(case: schemathesis.Case) -> None:
            answer = case.call(base_url=server.url, timeout=30)
            # 501 and 503 tell of an extra that is not there, and of a server that is full.
            if answer.status_code == 500 or (answer.status_code >= 400 and "error" not in answer.json()):
                faults.append(f"{case.method} {case.path}: {answer.status_code} {answer.text[:200]}")

        send()
    assert faults == []
