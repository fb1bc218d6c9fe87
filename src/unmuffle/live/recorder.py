"""Both sides of a live loop as files: written by a thread of their own, and whole whenever the loop ends."""

from __future__ import annotations

import contextlib
import queue
import threading
from pathlib import Path

import numpy as np

from unmuffle.errors import OutputExistsError, UnmuffleError
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import AudioInfo, AudioWriter, open_writer
from unmuffle.signal.files.layouts import usual_layout

MOST_WAITING_S = 10.0
"""What a slow disk may be behind before blocks are left out of the recording."""


def sides_of(path: Path) -> tuple[Path, Path]:
    """Return the files for the microphone and for the enhanced side of a recording.

    >>> microphone, enhanced = sides_of(Path("call.wav"))
    >>> str(microphone), str(enhanced)
    ('call.noisy.wav', 'call.wav')
    """
    return path.with_name(f"{path.stem}.noisy{path.suffix}"), path


class Recorder:
    """Writes the microphone and the enhanced voice, sample by sample in step.

    The files take their names when the recorder is closed, and never half-written. Whatever goes wrong with them is
    kept in ``error`` and ends the recording, not the loop.

    Parameters
    ----------
    path : path
        The enhanced side; the microphone goes to ``NAME.noisy.EXT`` beside it. The extension chooses the format.
    sample_rate, channels : int
        Of both sides.
    delay : int
        Samples by which the enhanced side is late, and which are left out at its beginning.

    Raises
    ------
    OutputExistsError
        If one of the files is there already.
    AudioFileError
        If they cannot be written.

    Attributes
    ----------
    error : str or None
        What ended the recording, in one line.
    left_out_samples : int
        Samples that a disk was too slow for.
    """

    def __init__(self, path: Path, sample_rate: int, channels: int, delay: int) -> None:
        self.paths = sides_of(path)
        self.error: str | None = None
        self.left_out_samples = 0
        self._early = delay
        self._sample_rate = sample_rate
        self._waiting: queue.Queue[tuple[FloatArray | None, FloatArray] | None] = queue.Queue()
        self._queued = self._written = 0
        info = AudioInfo(sample_rate, channels, usual_layout(channels), "s16", codec="pcm_s16le")
        self._writers: list[AudioWriter] = []
        try:
            for side in self.paths:
                if side.exists():
                    raise OutputExistsError(f"{side} already exists: record under another name")
                self._writers.append(open_writer(side, info))
        except BaseException:
            self._abort()
            raise
        self._thread = threading.Thread(target=self._run, name="unmuffle recorder", daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        """Length of what has been written."""
        return self._written / self._sample_rate

    def put(self, noisy: FloatArray, enhanced: FloatArray) -> None:
        """Take a block of each side [channels, n]; both are copied, and nothing is waited for."""
        if self.error is not None:
            return
        if (self._queued - self._written) / self._sample_rate > MOST_WAITING_S:
            self.left_out_samples += noisy.shape[1]
            return
        self._queued += noisy.shape[1]
        self._waiting.put((noisy.copy(), enhanced.copy()))

    def close(self, rest: FloatArray) -> None:
        """Take the end of the enhanced side [channels, delay] and finish the files; none are left of no audio."""
        self._waiting.put((None, rest.copy()))
        self._waiting.put(None)
        self._thread.join()
        try:
            for writer in self._writers if self._written else ():
                writer.commit()
        except UnmuffleError as error:
            self.error = self.error or str(error)
        finally:
            self._abort()

    def _run(self) -> None:
        while (blocks := self._waiting.get()) is not None:
            if self.error is not None:
                continue
            try:
                self._write(*blocks)
            except (UnmuffleError, OSError) as error:
                self.error = str(error)

    def _write(self, noisy: FloatArray | None, enhanced: FloatArray) -> None:
        early = min(self._early, enhanced.shape[1])
        self._early -= early
        if noisy is not None:
            self._writers[0].write(np.asarray(noisy, np.float32))
            self._written += noisy.shape[1]
        self._writers[1].write(np.asarray(enhanced[:, early:], np.float32))

    def _abort(self) -> None:
        for writer in self._writers:
            with contextlib.suppress(UnmuffleError, OSError):
                writer.abort()
