"""What Prometheus is told, of this worker and, through small files in a private folder, of its fellows.

Any worker may be the one that is asked. Each therefore writes its numbers down every second, and whoever is asked
tells its own, as they are now, and those of the others, as they last were; the label ``worker`` keeps them apart.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

TICK_BUCKETS_S = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
STAGE_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
PREFIX = "metrics-"


class ServerMetrics:
    """The numbers of one worker.

    Attributes
    ----------
    tick_s, batch_frames : Histogram
        Of each call of the pool: how long it took, and of how many frames.
    tick_faults : Counter
        Calls in which the network failed, and audio passed as it came.
    stage_s : Histogram
        Label ``stage``: how long decoding, enhancing, encoding and the like took, and an answer on a stream.
    streams_opened, streams_closed, streams_refused : Counter
        The latter two with the label ``code``.
    audio_s : Counter
        Seconds of audio enhanced; label ``kind``, "stream" or "file".
    requests, request_s : Counter, Histogram
        Of HTTP.
    jobs : Gauge
        Label ``state``.
    """

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        within: dict[str, Any] = {"registry": self.registry}
        self.tick_s = Histogram(
            "unmuffle_tick_seconds", "Time of one call of the pool", buckets=TICK_BUCKETS_S, **within
        )
        self.batch_frames = Histogram(
            "unmuffle_batch_frames", "Frames in one call of the pool", buckets=BATCH_BUCKETS, **within
        )
        self.tick_faults = Counter("unmuffle_tick_faults", "Calls of the pool in which the network failed", **within)
        self.stage_s = Histogram(
            "unmuffle_stage_seconds", "Time of one stage of the work", ["stage"], buckets=STAGE_BUCKETS_S, **within
        )
        self.streams_opened = Counter("unmuffle_streams_opened", "Streams that were opened", **within)
        self.streams_closed = Counter("unmuffle_streams_closed", "Streams that ended, by code", ["code"], **within)
        self.streams_refused = Counter("unmuffle_streams_refused", "Streams not opened, by code", ["code"], **within)
        self.audio_s = Counter("unmuffle_audio_seconds", "Seconds of audio enhanced", ["kind"], **within)
        self.requests = Counter(
            "unmuffle_http_requests", "Requests answered", ["method", "endpoint", "status"], **within
        )
        self.request_s = Histogram(
            "unmuffle_http_seconds", "Time of requests", ["endpoint"], buckets=STAGE_BUCKETS_S, **within
        )
        self.jobs = Gauge("unmuffle_jobs", "Jobs by state", ["state"], **within)

    def watch(self, told: Callable[[], Iterable[Metric]]) -> None:
        """Ask for further numbers each time that they are wanted; see ``gauge`` and ``counter``."""
        self.registry.register(_Asked(told))

    def write(self, folder: Path, worker: int) -> None:
        """Write the numbers down for the other workers, as a whole file or not at all."""
        path = folder / f"{PREFIX}{worker}.json"
        half = path.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps([_as_json(metric) for metric in self.registry.collect()]), encoding="utf-8")
        half.replace(path)

    def expose(self, folder: Path | None = None, worker: int = 0) -> bytes:
        """Return all numbers in the text form of Prometheus, with those of other workers from a folder."""
        families: dict[str, Metric] = {}
        for metric in self.registry.collect():
            _add(families, _as_json(metric), worker)
        for path in sorted(folder.glob(f"{PREFIX}*.json")) if folder is not None else ():
            other = int(path.stem.removeprefix(PREFIX))
            if other != worker:
                with suppress(OSError, ValueError):
                    for told in json.loads(path.read_text(encoding="utf-8")):
                        _add(families, told, other)
        return generate_latest(_Fixed(families.values()))


def gauge(name: str, help_text: str, value: float) -> Metric:
    """Return a number that rises and falls."""
    return GaugeMetricFamily(f"unmuffle_{name}", help_text, value=value)


def counter(name: str, help_text: str, value: float) -> Metric:
    """Return a number that only grows."""
    return CounterMetricFamily(f"unmuffle_{name}", help_text, value=value)


class _Asked:
    def __init__(self, told: Callable[[], Iterable[Metric]]) -> None:
        self._told = told

    def collect(self) -> Iterator[Metric]:
        yield from self._told()

    def describe(self) -> Iterator[Metric]:
        """Return nothing, so that registering does not ask."""
        return iter(())


class _Fixed(CollectorRegistry):
    def __init__(self, families: Iterable[Metric]) -> None:
        super().__init__()
        self._families = tuple(families)

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _as_json(metric: Metric) -> dict[str, Any]:
    samples = [(sample.name, sample.labels, sample.value) for sample in metric.samples]
    return {"name": metric.name, "help": metric.documentation, "type": metric.type, "samples": samples}


def _add(families: dict[str, Metric], told: dict[str, Any], worker: int) -> None:
    family = families.setdefault(told["name"], Metric(told["name"], told["help"], told["type"]))
    for name, labels, value in told["samples"]:
        if not name.endswith("_created"):
            family.add_sample(name, labels | {"worker": str(worker)}, value)
