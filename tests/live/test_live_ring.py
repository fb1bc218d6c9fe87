"""The ring between two threads: nothing is lost, doubled or turned round."""

from __future__ import annotations

import threading
import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unmuffle.live.ring import SampleRing


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=60))
def test_the_ring_is_a_queue_of_bounded_length(actions):
    ring, expected, count = SampleRing(2, 13), [], 0
    for writes, size in actions:
        if writes:
            block = np.arange(count, count + size, dtype=np.float32) * np.array([[1.0], [-1.0]], np.float32)
            accepted = ring.write(block)
            assert accepted == min(size, 13 - len(expected))
            expected += list(range(count, count + accepted))
            count += size
        else:
            out = np.full((2, size), np.nan, np.float32)
            found = ring.read_into(out)
            taken, expected = expected[:size], expected[size:]
            assert found == len(taken)
            assert out[0, :found].tolist() == taken
            assert np.array_equal(out[1, :found], -out[0, :found])
            assert np.isnan(out[:, found:]).all()
        assert len(ring) == len(expected)


def test_two_threads_exchange_a_long_stream_whole():
    ring, total, received = SampleRing(1, 1000), 300_000, []

    def read():
        out = np.zeros((1, 77), np.float32)
        while sum(map(len, received)) < total:
            received.append(out[0, : ring.read_into(out)].copy())

    reader = threading.Thread(target=read)
    reader.start()
    sent = 0
    while sent < total:
        block = np.arange(sent, min(sent + 129, total), dtype=np.float32)[None]
        sent += ring.write(block)
        if len(ring) == ring.capacity:
            time.sleep(0)
    reader.join()
    assert np.array_equal(np.concatenate(received), np.arange(total, dtype=np.float32))


def test_a_callback_costs_no_memory():
    import tracemalloc

    ring, block, out = SampleRing(1, 48_000), np.ones((1, 480), np.float32), np.zeros((1, 480), np.float32)
    tracemalloc.start()
    try:
        for _ in range(300):
            ring.write(block)
            ring.read_into(out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4_000
