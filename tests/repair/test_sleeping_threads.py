"""No repair wakes the threads of BLAS: thousands of small products would each wait for them on a busy machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

RUN = """
import json, resource, sys, time
import numpy as np
import scipy.fft, scipy.linalg, scipy.signal
from unmuffle.repair import Declicker, Declipper, Dehummer, LateReverbSuppressor, Wpe, WpeOffline


def cpu_s(whose):
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime


def others_s():
    return cpu_s(resource.RUSAGE_SELF) - cpu_s(resource.RUSAGE_THREAD)


# Threads that wake for this show that the measurement sees them.
square = np.ones((600, 600))
before = others_s()
for _ in range(5):
    square @ square
spent = {"a large product": (1.0, others_s() - before)}
# They stay awake for a while.
time.sleep(0.5)

rate, channels = 16_000, int(sys.argv[1])
at_s = np.arange(3 * rate) / rate
audio = 0.1 * np.random.default_rng(0).standard_normal((channels, at_s.size))
audio += sum(0.1 / k * np.sin(2 * np.pi * 50.1 * k * at_s + k) for k in range(1, 12))
audio = np.clip(audio, -0.2, 0.2).astype(np.float32)
audio[:, 4000::8000] = 0.9
linked = {} if channels == 1 else {"link_channels": True}
makers = {"dehum": Dehummer, "wpe": Wpe, "wpe_offline": WpeOffline, "late": LateReverbSuppressor}
processors = {name: make(rate, channels, **linked) for name, make in makers.items()}
processors |= {"declip": Declipper(rate, channels), "declick": Declicker(rate, channels)}
for name, processor in processors.items():
    own, before = cpu_s(resource.RUSAGE_THREAD), others_s()
    processor.process(audio)
    processor.flush()
    spent[name] = cpu_s(resource.RUSAGE_THREAD) - own, others_s() - before
print(json.dumps(spent))
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="on one core BLAS has no threads to wake")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells the time of a thread")
@pytest.mark.parametrize("channels", [1, 2])
def test_all_work_is_done_on_the_calling_thread(channels):
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "4")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(channels)], env=os.environ | threads, capture_output=True, text=True, check=True
    )
    spent = json.loads(done.stdout)
    if spent.pop("a large product")[1] < 1e-3:
        pytest.skip("this BLAS uses no threads, or none whose time is told")
    woken = {name: (own, others) for name, (own, others) in spent.items() if others > 0.02 + 0.02 * own}
    assert not woken
