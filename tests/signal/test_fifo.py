"""The buffer against the plainest model of one."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from unmuffle.signal.fifo import SampleFifo


class FifoAgainstArray(RuleBasedStateMachine):
    @initialize(channels=st.integers(1, 3), capacity=st.integers(0, 40))
    def begin(self, channels: int, capacity: int) -> None:
        self.fifo = SampleFifo(channels, capacity)
        self.model = np.zeros((channels, 0), np.float32)
        self.pushed = 0

    @rule(count=st.one_of(st.integers(0, 5), st.integers(0, 100)))
    def push(self, count: int) -> None:
        rows = len(self.model)
        # Every sample is another number, so that none can be mistaken.
        block = (self.pushed + np.arange(1, rows * count + 1)).reshape(rows, count).astype(np.float32)
        self.pushed += rows * count
        self.fifo.push(block)
        self.model = np.concatenate((self.model, block), axis=1)
        block[:] = -1.0

    @rule(count=st.integers(0, 60))
    def push_zeros(self, count: int) -> None:
        self.fifo.push_zeros(count)
        self.model = np.pad(self.model, ((0, 0), (0, count)))

    @rule(share=st.floats(0.0, 1.0))
    def pop(self, share: float) -> None:
        count = round(share * self.model.shape[1])
        popped = self.fifo.pop(count)
        assert popped.dtype == np.float32
        np.testing.assert_array_equal(popped, self.model[:, :count])
        self.model = self.model[:, count:]

    @rule(beyond=st.integers(1, 10))
    def pop_too_much(self, beyond: int) -> None:
        wanted = self.model.shape[1] + beyond
        with pytest.raises(IndexError, match=f"{wanted} samples"):
            self.fifo.pop(wanted)

    @precondition(lambda self: len(self.model) > 1)
    @rule()
    def silence_the_first_channel(self) -> None:
        self.fifo.silence(np.arange(len(self.model)) == 0)
        self.model[0] = 0.0

    @rule()
    def clear(self) -> None:
        self.fifo.clear()
        self.model = self.model[:, :0]

    @invariant()
    def as_long_as_the_model(self) -> None:
        assert len(self.fifo) == self.model.shape[1]

    def teardown(self) -> None:
        if hasattr(self, "fifo"):
            np.testing.assert_array_equal(self.fifo.pop(len(self.fifo)), self.model)


FifoAgainstArray.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True)
TestFifoAgainstArray = FifoAgainstArray.TestCase


@pytest.mark.parametrize(("pushed", "popped"), [(480, 480), (480, 768), (1000, 77)])
def test_a_steady_stream_needs_no_more_room(pushed: int, popped: int):
    fifo = SampleFifo(2)
    block = np.ones((2, pushed), np.float32)

    def stream() -> None:
        for _ in range(500):
            fifo.push(block)
            while len(fifo) >= popped:
                fifo.pop(popped)

    stream()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        stream()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1024
    # The backlog is copied when it moves to the front of the storage.
    assert peak - before < 2 * 4 * (pushed + popped) + 2048
