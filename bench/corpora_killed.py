"""Runs over a corpus that are killed: resumed, they have to end as one that was not, and do nothing twice.

Once with SIGKILL to all processes of a run at random moments, and once on a Ray cluster of two machines, which are
processes here, one of which is killed.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.corpora import RATE_HZ
from bench.evaluation import write_sources

CLIPS, SECONDS, KILLS = 2000, 4.0, 10
LOST_AFTER = 0.2
"""Share of the clips that are done when a machine is lost."""


def measure(sources: Path | None) -> dict[str, Any]:
    """Return whether results are those of an undisturbed run, and what was done twice.

    Parameters
    ----------
    sources : Path, optional
        A folder with ``speech`` and ``noise``, of which clips are mixed; made signals unless given.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _make_corpus(root, sources)
        seconds, _ = _timed(lambda: _run(root, "whole"))
        whole = _results(root / "whole")
        # Longer than the run would take in all, so that every kill meets it at work.
        told = _killed(root, seconds)
        return {
            "clips": CLIPS,
            "seconds": SECONDS,
            "recorded": sources is not None,
            "kills": KILLS,
            "identical": _results(root / "killed") == whole,
            "same_manifest": _ids(root / "killed") == _ids(root / "whole"),
            "done_twice": len(told) - len(set(told)),
            "damaged": _damaged(root / "killed"),
            "ray": _on_ray(root, whole),
        }


def _make_corpus(root: Path, sources: Path | None) -> None:
    from unmuffle.measure import MixPlan, write_mixes

    if sources is None:
        write_sources(root)
    parts = [(sources or root) / name for name in ("speech", "noise")]
    plan = MixPlan(parts[0], parts[1], count=CLIPS, seconds=SECONDS, sample_rate=RATE_HZ)
    write_mixes(plan, root / "set", jobs=os.cpu_count() or 1)


def _start(root: Path, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "unmuffle", "corpus", "run", str(root / "set" / "noisy"), "-o", str(root / name)]
    arguments = ["--measure", "none", "--json"]
    return subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True)


def _run(root: Path, name: str) -> list[str]:
    """Run to the end and return the clips that were told as done."""
    told, _ = _start(root, name).communicate()
    return _told(told)


def _told(lines: str) -> list[str]:
    return [json.loads(line)["id"] for line in lines.splitlines() if line.endswith("}")]


def _killed(root: Path, seconds: float) -> list[str]:
    chance, told = random.Random(0), []
    for _ in range(KILLS):
        process = _start(root, "killed")
        # Only as it tells of the first clip is it at work; before that it starts.
        first = process.stdout.readline() if process.stdout else ""
        time.sleep(chance.uniform(0.0, 1.5 * seconds / (KILLS + 1)))
        os.killpg(process.pid, signal.SIGKILL)
        rest, _ = process.communicate()
        told += _told(first + rest)
        print(f"  killed with {len(told)} clips done", flush=True)
    return told + _run(root, "killed")


def _on_ray(root: Path, whole: dict[str, str]) -> dict[str, Any]:
    """Run on two machines, of which one is killed; returns what became of it, or nothing without Ray."""
    try:
        from ray.cluster_utils import Cluster
    except ImportError:
        return {}
    from unmuffle.corpus import RunOptions, run

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    second = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()
    told: list[str] = []

    def lose_one(clip: Any, *_: object) -> None:
        told.append(clip.key)
        if len(told) == int(LOST_AFTER * CLIPS):
            cluster.remove_node(second, allow_graceful=False)

    options = RunOptions(engine="ray", address=cluster.address)
    try:
        report = run(root / "set" / "noisy", root / "ray", measures=(), options=options, told=lose_one)
    finally:
        cluster.shutdown()
    return {
        "lost_after": int(LOST_AFTER * CLIPS),
        "done": report.done,
        "failed": report.failed,
        "identical": _results(root / "ray") == whole,
        "done_twice": len(told) - len(set(told)),
    }


def _results(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.wav")
    }


def _ids(folder: Path) -> list[str]:
    rows = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(row)["id"] for row in rows]


def _damaged(folder: Path) -> int:
    from unmuffle.corpus import verify

    return len(list(verify(folder)))


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    started = time.perf_counter()
    done = work()
    return time.perf_counter() - started, done


def section(figures: dict[str, Any]) -> str:
    """Return the section of the page."""
    kind = "recorded speech and noise" if figures["recorded"] else "made signals"
    order = "the same clips in the same order" if figures["same_manifest"] else "**other clips**"
    text = f"""{figures["clips"]:,} clips of {figures["seconds"]:g} s, mixed from {kind} by `unmuffle mix`. A run that
was killed {figures["kills"]} times with SIGKILL at random moments, and taken up each time, left
{_same(figures)} what an undisturbed run leaves; its manifest lists {order}, {figures["done_twice"]}
clips that were told as done were done again, and {figures["damaged"]} results failed their checksum."""
    ray = figures["ray"]
    if not ray:
        return text
    return f"""{text}

On a Ray cluster of two machines, of which one was killed when {ray["lost_after"]} clips were done, {ray["done"]:,}
clips were done and {ray["failed"]} failed, {_same(ray)} as on one machine; {ray["done_twice"]} were done twice."""


def _same(figures: dict[str, Any]) -> str:
    return "byte for byte" if figures["identical"] else "**not**"
