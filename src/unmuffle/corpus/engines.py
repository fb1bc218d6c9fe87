"""What does the clips of a run: processes on this machine, or a Ray cluster; the work on a clip is the same.

An engine takes clips as it has room for them and yields what became of each as it is done, in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Any, TypeAlias

from unmuffle.corpus.clip import Clip
from unmuffle.corpus.clip_work import ClipOutcome, ClipSettings, do_clip
from unmuffle.corpus.remote import CORPUS
from unmuffle.jobs.one_thread import ONE_THREAD, one_thread_each
from unmuffle.jobs.workers import run_in_workers
from unmuffle.measure.extras import load_package

Done: TypeAlias = Generator[tuple[Clip, ClipOutcome], None, None]
Engine: TypeAlias = Callable[[Iterator[Clip], ClipSettings], Done]

RAY = CORPUS.replace("corpus", "ray")
_IN_FLIGHT_A_CORE = 3
"""Tasks that Ray holds for each core: enough that no core waits for the next, few enough to be held in memory."""
_RETRIES = 5
"""Of a clip whose machine is lost; the work can be done again, since a result appears whole and replaces its like."""
_NEWS_S = 1.0
"""How often the number of cores is looked at, for machines that come and go."""


def processes(clips: Iterator[Clip], settings: ClipSettings, *, workers: int) -> Done:
    """Do clips in processes of one thread each."""
    at_work: dict[int, Clip] = {}

    def hand_out() -> Iterator[Clip]:
        for number, clip in enumerate(clips):
            at_work[number] = clip
            yield clip

    with one_thread_each(), closing(run_in_workers(hand_out(), partial(do_clip, settings), workers)) as outcomes:
        for number, kind, value in outcomes:
            clip = at_work.pop(number)
            yield clip, value if kind == "done" else _died(clip, value)


def ray_cluster(clips: Iterator[Clip], settings: ClipSettings, *, address: str | None = None) -> Done:
    """Do clips as tasks of Ray, one core each; a task whose machine is lost is done elsewhere.

    The destination has to be a folder that all machines share. Tasks that wait are what the cluster's autoscaler goes
    by.

    Parameters
    ----------
    clips : iterator of Clip
    settings : ClipSettings
    address : str, optional
        Of a cluster; ``"auto"`` finds the one that this machine is part of. A cluster of this machine alone is started
        unless given.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    """
    ray = load_package("ray", RAY, "the engine ray")
    started = not ray.is_initialized()
    if started:
        alone = {"include_dashboard": False} if address is None else {}
        ray.init(address=address, log_to_driver=False, runtime_env={"env_vars": dict(ONE_THREAD)}, **alone)
    try:
        yield from _ray_tasks(ray, clips, settings)
    finally:
        if started:
            ray.shutdown()


def _ray_tasks(ray: Any, clips: Iterator[Clip], settings: ClipSettings) -> Done:
    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(do_clip)
    shared = ray.put(settings)
    at_work: dict[Any, Clip] = {}
    while True:
        room = _IN_FLIGHT_A_CORE * max(1, int(ray.cluster_resources().get("CPU", 1)))
        while len(at_work) < room and (clip := next(clips, None)) is not None:
            at_work[task.remote(shared, clip)] = clip
        if not at_work:
            return
        finished, _ = ray.wait(list(at_work), num_returns=1, timeout=_NEWS_S)
        for reference in finished:
            clip = at_work.pop(reference)
            try:
                yield clip, ray.get(reference)
            except ray.exceptions.RayError as error:
                yield clip, _died(clip, error)


def _died(clip: Clip, reason: object) -> ClipOutcome:
    first = str(reason).strip().partition("\n")[0]
    return ClipOutcome(cause="died", message=f"{clip.source}: {first}; out of memory, perhaps")
