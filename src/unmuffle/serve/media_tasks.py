"""What the limited process does with a file: enhance it, tell what it is and what is wrong with it, measure a pair."""

from __future__ import annotations

import contextlib
import errno
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unmuffle.errors import AudioFileError, InvalidParameterError, ModelError, UnmuffleError, one_line
from unmuffle.serve.media_child import Tell

if TYPE_CHECKING:
    from unmuffle.cache import Cache

ORIGINAL = "original"
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
NO_MEMORY = "the file needs more memory than is allowed here: send a shorter part of it"
_SIGNS_OF_NO_MEMORY = ("bad_alloc", "Failed to allocate", "Cannot allocate memory")


class RefusedError(Exception):
    """A file that is not taken, with a word for programs that tells why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def warm_up() -> None:
    """Load what nearly every task needs; what fails here fails again, and is told, where it is needed."""
    from unmuffle.enhancer import Enhancer

    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Enhancer().enhance(np.zeros(16_000, np.float32), 16_000)


def do_task(task: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Do a task, and return ``{"done": ...}``, or ``{"failed": {"code": ..., "message": ...}}``.

    Parameters
    ----------
    task : mapping
        ``kind`` is one of ``KINDS``; ``files`` maps the role of each file to its path, ``names`` to what messages call
        it; ``folder`` is where results are written; ``max_s`` is how long audio may be; the rest is the kind's own.
    tell : callable
        Told how far it is.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return {"done": KINDS[task["kind"]](task, tell)}
    except RefusedError as error:
        return _failed(task, error.code, error.message)
    except Exception as error:
        code = _code_of(error)
        return _failed(task, code, NO_MEMORY if code == "out_of_memory" else one_line(error))


def _enhance(task: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    from unmuffle.enhancer import Enhancer

    source = task["files"]["file"]
    with _opening():
        suffix = _suffix_for(task["format"], _checked_container(source, task["max_s"]))

    def progress(done_s: float, total_s: float | None) -> None:
        _check_length(done_s, task["max_s"])
        tell(done_s, total_s)

    destination = Path(task["folder"], f"result.{suffix}")
    enhancer = Enhancer(**task["parameters"], nonfinite="silence")
    chain: str | None = None
    warned: tuple[str, ...] = ()
    if task["diagnose"]:
        from unmuffle.measure.diagnosis import with_own_chain

        own = with_own_chain(enhancer, source)
        enhancer, chain, warned = own.enhancer, own.chain, own.warnings
    report = enhancer.enhance_file(source, destination, progress=progress, cache=_cache(task["cache"]))
    _check_length(report.seconds, task["max_s"])
    return {
        "path": str(destination),
        "suffix": suffix,
        "seconds": report.seconds,
        "sample_rate": report.sample_rate,
        "channels": report.channels,
        "from_cache": None if task["cache"] is None else report.from_cache,
        "chain": chain,
        "warnings": [_without_paths(task, line) for line in dict.fromkeys((*warned, *report.warnings))],
    }


@lru_cache(maxsize=1)
def _cache(folder: str | None) -> Cache | None:
    from unmuffle.cache import Cache

    # Nothing in memory, of which each process has little.
    return None if folder is None else Cache(folder, memory_bytes=0)


def _analyze(task: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    from dataclasses import asdict

    from unmuffle.measure.diagnosis import diagnose_file
    from unmuffle.measure.single.recording import RecordingAnalyzer
    from unmuffle.models import default_model
    from unmuffle.signal.files import open_reader

    source, name = task["files"]["file"], task["names"]["file"]
    with _opening():
        reader = open_reader(source)
    with reader:
        _check_length(reader.info.seconds, task["max_s"])
        model = default_model()
        listener = None if model is None else model.name
        analyzer = RecordingAnalyzer(reader.info.sample_rate, reader.info.channels, model=listener)
        for block in reader.blocks():
            analyzer.process(block)
            done_s = reader.position / reader.info.sample_rate
            _check_length(done_s, task["max_s"])
            tell(done_s, reader.info.seconds)
        about = {"file": name, "format": asdict(reader.info), "warnings": reader.warnings}
    diagnosis = {"file": name, **diagnose_file(source).to_dict()}
    told = json.dumps({"info": about | analyzer.report().to_dict(), "diagnosis": diagnosis}, default=str)
    found: dict[str, Any] = json.loads(told.replace(json.dumps(source)[1:-1], json.dumps(name)[1:-1]))
    return found


def _measure(task: Mapping[str, Any], _tell: Tell) -> dict[str, Any]:
    from unmuffle.serve.pair_scores import measure_pair

    for source in task["files"].values():
        with _opening():
            _checked_container(source, task["max_s"])
    return measure_pair(
        {role: Path(path) for role, path in task["files"].items()},
        task["names"],
        Path(task["folder"], "report.html") if task["html"] else None,
    )


KINDS: dict[str, Callable[[Mapping[str, Any], Tell], dict[str, Any]]] = {
    "enhance": _enhance,
    "analyze": _analyze,
    "measure": _measure,
}
"""What can be done, by name."""


@contextlib.contextmanager
def _opening() -> Iterator[None]:
    """Tell what is no audio at all from what turns out to be damaged, or cannot be written, later."""
    try:
        yield
    except AudioFileError as error:
        raise RefusedError("not_audio", str(error)) from error


def _checked_container(source: str, max_s: float) -> str:
    from unmuffle.signal.files import probe

    info = probe(source)
    _check_length(info.seconds, max_s)
    return info.container


def _check_length(seconds: float | None, max_s: float) -> None:
    if seconds is not None and seconds > max_s:
        raise RefusedError("too_long", f"the audio is longer than {max_s:g} s, which is the most that is taken here")


def _suffix_for(wanted: str, container: str) -> str:
    from unmuffle.signal.files.containers import CONTAINERS

    suffix = container if wanted == ORIGINAL else wanted
    if suffix not in CONTAINERS:
        raise RefusedError(
            "cannot_write", f"files of the kind {suffix} can be read but not written: ask for format=wav, flac or mp3"
        )
    return suffix


def _code_of(error: Exception) -> str:
    numbers = {link.errno for link in _chain(error) if isinstance(link, OSError)}
    if numbers.intersection(_DISK_FULL):
        return "disk_full"
    if errno.EFBIG in numbers:
        return "result_too_large"
    if any(isinstance(link, MemoryError) for link in _chain(error)) or errno.ENOMEM in numbers:
        return "out_of_memory"
    if any(sign in str(error) for sign in _SIGNS_OF_NO_MEMORY):
        return "out_of_memory"
    if isinstance(error, ModelError):
        return "model"
    if isinstance(error, InvalidParameterError):
        return "invalid"
    return "cannot_process" if isinstance(error, UnmuffleError) else "unexpected"


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _failed(task: Mapping[str, Any], code: str, message: str) -> dict[str, Any]:
    return {"failed": {"code": code, "message": _without_paths(task, message)}}


def _without_paths(task: Mapping[str, Any], text: str) -> str:
    """Return a message with the names that the client gave, and nothing of where files lie here."""
    for role, path in task["files"].items():
        text = text.replace(path, task["names"][role])
    return text.replace(task["folder"] + "/", "").replace(task["folder"], "the server")
