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
    evaluation,
    latency,
    long_file,
    network,
    noise_tracking,
    page,
    quality,
    repair,
    speed,
    training,
)
from bench.machine import describe_machine
from unmuffle.models import default_model

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main() -> None:
    """Run the parts that were asked for, or all that can be run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "parts",
        nargs="*",
        help="speed, long_file, latency, noise_tracking, evaluation, training, network, quality, repair, arrays, "
        "blind_snr [default: all]",
    )
    parser.add_argument(
        "--pairs", type=Path, help="folder with pairs.csv, clean/ and noisy/, for quality, repair, arrays and blind_snr"
    )
    parser.add_argument("--scenes", type=int, default=arrays.SCENES, help="how many, for arrays [default: %(default)s]")
    parser.add_argument("--clips", type=int, default=repair.CLIPS, help="how many, for repair [default: %(default)s]")
    parser.add_argument("--hours", type=float, default=3.0, help="length of the long file [default: 3]")
    parser.add_argument("--model", help="name or ONNX file, for network and blind_snr [default: the one that is auto]")
    options = parser.parse_args()
    shipped = default_model()
    model = options.model or (None if shipped is None else shipped.name)
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "speed": speed.measure,
        "long_file": lambda: long_file.measure(options.hours),
        "latency": latency.measure,
        "noise_tracking": noise_tracking.measure,
        "evaluation": evaluation.measure,
        "training": training.measure,
    }
    if model is not None:
        parts["network"] = lambda: network.measure(model)
    elif "network" in options.parts:
        parser.error("network needs a model, and none ships yet: give --model PATH")
    elif not options.parts:
        print("network is left out: no model ships yet, and there is no --model PATH")
    if options.pairs is not None:
        parts["quality"] = lambda: quality.measure(options.pairs)
        parts["repair"] = lambda: repair.measure(options.pairs, options.clips)
        parts["arrays"] = lambda: arrays.measure(options.pairs, options.scenes)
        parts["blind_snr"] = lambda: blind_snr.measure(options.pairs, model)
    elif {"quality", "repair", "arrays", "blind_snr"} & set(options.parts):
        parser.error("quality, repair, arrays and blind_snr need --pairs FOLDER")
    if unknown := set(options.parts) - set(parts):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    RESULTS.mkdir(exist_ok=True)
    for name in options.parts or parts:
        print(f"{name} ...", flush=True)
        figures = {"date": datetime.date.today().isoformat(), "machine": describe_machine(), **parts[name]()}
        (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
    PAGE.write_text(page.render({path.stem: json.loads(path.read_text()) for path in RESULTS.glob("*.json")}))
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
