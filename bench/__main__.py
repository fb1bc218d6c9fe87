"""Measure, and write ``docs/benchmarks.md``.

Each part leaves its figures in ``bench/results/PART.json``; the page is made of these, so that a part that was not run
this time keeps its last figures, with the date and machine they were measured on.
"""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import (
    arrays,
    blind_snr,
    cache,
    corpora,
    corpora_journal,
    corpora_killed,
    corpora_words,
    evaluation,
    latency,
    long_file,
    network,
    noise_tracking,
    page,
    pool,
    quality,
    repair,
    serve,
    speed,
    training,
)
from bench.machine import describe_machine
from unmuffle.models import default_model

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


Part = Callable[[], dict[str, Any]]

NEEDS = {
    "quality": "--pairs FOLDER",
    "repair": "--pairs FOLDER",
    "arrays": "--pairs FOLDER",
    "blind_snr": "--pairs FOLDER",
    "corpora_words": "--pairs FOLDER and --transcribed FOLDER",
    "serve_soak": "--minutes",
    "network": "--model PATH: no model ships",
}
"""What parts need that are not always there."""


def main() -> None:
    """Run the parts that were asked for, or all that can be run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        help="speed, long_file, latency, noise_tracking, evaluation, training, network, quality, repair, arrays, "
        "blind_snr, cache, pool, serve, serve_soak, corpora, corpora_journal, corpora_killed, "
        "corpora_words [default: all]",
    )
    parser.add_argument(
        "--pairs", type=Path, help="folder with pairs.csv, clean/ and noisy/, for quality, repair, arrays and blind_snr"
    )
    parser.add_argument("--scenes", type=int, default=arrays.SCENES, help="how many, for arrays [default: %(default)s]")
    parser.add_argument("--clips", type=int, default=repair.CLIPS, help="how many, for repair [default: %(default)s]")
    parser.add_argument("--hours", type=float, default=3.0, help="length of the long file [default: 3]")
    parser.add_argument("--short", action="store_true", help="larger steps and less time each, for serve")
    parser.add_argument("--minutes", type=float, help="of serve_soak, which then runs at 70 %% of what serve has found")
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="of the journal, for corpora_journal [default: %(default)s]"
    )
    parser.add_argument(
        "--sources", type=Path, help="folder with speech/ and noise/, for corpora_killed [default: made]"
    )
    parser.add_argument("--transcribed", type=Path, help="folder with index.csv (file, text), for corpora_words")
    parser.add_argument("--model", help="name or ONNX file, for network and blind_snr [default: the one that is auto]")
    parser.add_argument(
        "--soak", type=float, default=pool.SOAK_SECONDS, help="seconds of the long run, for pool [default: %(default)s]"
    )
    options = parser.parse_args()
    parts = _parts(options, parser)
    RESULTS.mkdir(exist_ok=True)
    for name in options.parts or parts:
        print(f"{name} ...", flush=True)
        figures = {"date": datetime.date.today().isoformat(), "machine": describe_machine(), **parts[name]()}
        (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
    PAGE.write_text(page.render({path.stem: json.loads(path.read_text()) for path in RESULTS.glob("*.json")}))
    print(f"wrote {PAGE}")


def _parts(options: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, Part]:
    """Return what can be run with what was given, or end with what is lacking for what was asked for."""
    shipped = default_model()
    model = options.model or (None if shipped is None else shipped.name)
    parts: dict[str, Part] = {
        "speed": speed.measure,
        "long_file": lambda: long_file.measure(options.hours),
        "latency": latency.measure,
        "noise_tracking": noise_tracking.measure,
        "evaluation": evaluation.measure,
        "cache": cache.measure,
        "training": training.measure,
        "corpora": corpora.measure,
        "corpora_journal": lambda: corpora_journal.measure(options.rows),
        "corpora_killed": lambda: corpora_killed.measure(options.sources),
        "pool": lambda: pool.measure(options.soak),
        "serve": lambda: serve.measure(short=options.short),
    }
    if options.minutes is not None:
        parts["serve_soak"] = lambda: serve.soak(options.minutes, json.loads((RESULTS / "serve.json").read_text()))
    if model is not None:
        parts["network"] = lambda: network.measure(model)
    if options.pairs is not None:
        parts["quality"] = lambda: quality.measure(options.pairs)
        parts["repair"] = lambda: repair.measure(options.pairs, options.clips)
        parts["arrays"] = lambda: arrays.measure(options.pairs, options.scenes)
        parts["blind_snr"] = lambda: blind_snr.measure(options.pairs, model)
    if options.pairs is not None and options.transcribed is not None:
        parts["corpora_words"] = lambda: corpora_words.measure(options.transcribed, options.pairs)
    for name in options.parts:
        if name not in parts:
            parser.error(f"{name} needs {NEEDS[name]}" if name in NEEDS else f"there is no part {name}")
    return parts


if __name__ == "__main__":
    main()
