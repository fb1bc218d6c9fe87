"""Files at another loudness, and otherwise as they are."""

from __future__ import annotations

from unmuffle.enhancer import files
from unmuffle.level.gain import Gain
from unmuffle.level.targets import loudness_target
from unmuffle.process import DryWet
from unmuffle.signal.files import AudioReader, RawFormat
from unmuffle.signal.files.opening import DestinationLike
from unmuffle.signal.files.source import SourceLike


def normalize_file(
    src: SourceLike,
    dst: DestinationLike,
    *,
    loudness: float | str = -16.0,
    true_peak: float | None = None,
    overwrite: bool = False,
    raw: RawFormat | None = None,
    progress: files.Progress | None = None,
) -> files.FileReport:
    """Bring a file of any format and any length to a loudness under a ceiling of true peaks, in constant memory.

    Rate, channels, sample format and tags are kept; a video keeps its picture and subtitles bit for bit. Dynamics are
    kept, too: there is one gain, and a limiter that acts only on what would exceed the ceiling.

    Parameters
    ----------
    src, dst, overwrite, raw, progress
        See ``Enhancer.enhance_file``.
    loudness : float or str, default -16.0
        Integrated loudness in LUFS, -60 to -5, or podcast (-16), broadcast (-23), atsc (-24) or streaming (-14).
    true_peak : float, optional
        Ceiling for true peaks in dBTP, -20 to 0: -1 unless the name says otherwise.

    Returns
    -------
    FileReport
        Among its ``warnings`` by how much the target is missed, if it cannot be reached.

    Raises
    ------
    UnmuffleError
        With the file's name and what is wrong with it; nothing is then left behind.
    """

    def untouched(reader: AudioReader) -> DryWet:
        return DryWet(Gain(reader.info.sample_rate, reader.info.channels))

    target = loudness_target(loudness, true_peak)
    return files.run(files.FileJob(src, dst, None, overwrite, raw, progress, target), untouched)
