"""What does the clips of a run: processes on this machine, or a Ray cluster; the work on a clip is the same.

An engine takes clips as it has room for them and yields what became of each as it is done, in any order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Any, TypeAlias

from unmuffle.corpus.clip import Clip
from unmuffle.corpus.clip_work import ClipOutcome, ClipSettings
from unmuffle.corpus.handfuls import Told, do_clips, handfuls
from unmuffle.corpus.remote import CORPUS
from unmuffle.jobs.one_thread import ONE_THREAD, one_thread_each
from unmuffle.jobs.workers import Report, run_in_workers
from unmuffle.measure.extras import load_package

Done: TypeAlias = Generator[tuple[Clip, ClipOutcome], None, None]
Engine: TypeAlias = Callable[[Iterator[Clip], int, ClipSettings], Done]

RAY = CORPUS.replace("corpus", "ray")
_IN_FLIGHT_A_CORE = 3
"""Tasks that Ray holds for each core: enough that no core waits for the next, few enough to be held in memory."""
_RETRIES = 5
"""Of a clip whose machine is lost; the work can be done again, since a result appears whole and replaces its like."""
_NEWS_S = 1.0
"""How often the number of cores is looked at, for machines that come and go."""


def processes(clips: Iterator[Clip], count: int, settings: ClipSettings, *, workers: int) -> Done:
    """Do so many clips in processes of one thread each."""
    suspects: list[Clip] = []
    with one_thread_each():
        yield from _in_processes(handfuls(clips, count, workers), settings, workers, suspects)
        # What a process had at hand when it died is done once more, clip by clip, to find the one that did it.
        yield from _in_processes(([clip] for clip in suspects), settings, workers, [])


def _in_processes(shares: Iterator[list[Clip]], settings: ClipSettings, workers: int, suspects: list[Clip]) -> Done:
    at_work: dict[int, dict[int, Clip]] = {}

    def hand_out() -> Iterator[list[Clip]]:
        for number, share in enumerate(shares):
            at_work[number] = dict(enumerate(share))
            yield share

    with closing(run_in_workers(hand_out(), partial(_work_and_tell, settings), workers)) as told:
        for number, kind, value in told:
            if kind == "told":
                which, outcome = value
                yield at_work[number].pop(which), outcome
                continue
            left = list(at_work.pop(number).values())
            if kind == "died" and len(left) == 1:
                yield left[0], _died(left[0], value)
            else:
                suspects.extend(left)


def _work_and_tell(settings: ClipSettings, clips: list[Clip], report: Report) -> None:
    for told in do_clips(settings, clips):
        report(told)


def ray_cluster(clips: Iterator[Clip], count: int, settings: ClipSettings, *, address: str | None = None) -> Done:
    """Do clips as tasks of Ray, a handful and a core each; a task whose machine is lost is done elsewhere.

    The destination has to be a folder that all machines share. Tasks that wait are what the cluster's autoscaler goes
    by.

    Parameters
    ----------
    clips : iterator of Clip
    count : int
        How many there are.
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
        yield from _ray_tasks(ray, clips, count, settings)
    finally:
        if started:
            ray.shutdown()


def _ray_tasks(ray: Any, clips: Iterator[Clip], count: int, settings: ClipSettings) -> Done:
    task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_work)
    shared = ray.put(settings)
    shares = handfuls(clips, count, _cores(ray))
    suspects: deque[list[Clip]] = deque()
    at_work: dict[Any, list[Clip]] = {}
    while True:
        while len(at_work) < _IN_FLIGHT_A_CORE * _cores(ray) and (share := next(shares, None) or _next(suspects)):
            at_work[task.remote(shared, share)] = share
        if not at_work:
            return
        finished, _ = ray.wait(list(at_work), num_returns=1, timeout=_NEWS_S)
        for reference in finished:
            share = at_work.pop(reference)
            try:
                yield from ((share[number], outcome) for number, outcome in ray.get(reference))
            except ray.exceptions.RayError as error:
                if len(share) == 1:
                    yield share[0], _died(share[0], error)
                suspects.extend([clip] for clip in share if len(share) > 1)


def _work(settings: ClipSettings, clips: list[Clip]) -> list[Told]:
    return list(do_clips(settings, clips))


def _cores(ray: Any) -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _next(waiting: deque[list[Clip]]) -> list[Clip] | None:
    return waiting.popleft() if waiting else None


def _died(clip: Clip, reason: object) -> ClipOutcome:
    first = str(reason).strip().partition("\n")[0]
    return ClipOutcome(cause="died", message=f"{clip.source}: {first}; out of memory, perhaps")
