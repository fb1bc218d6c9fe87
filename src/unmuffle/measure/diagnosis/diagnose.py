"""Diagnosis of arrays and of files."""

from __future__ import annotations

import numpy.typing as npt

from unmuffle.measure.diagnosis.evidence import EvidenceCollector
from unmuffle.measure.diagnosis.finding import Diagnosis
from unmuffle.measure.diagnosis.pieces import pieces_of, read_pieces
from unmuffle.measure.diagnosis.rules import findings_in
from unmuffle.process.whole import check_whole
from unmuffle.signal.arrays import as_channels
from unmuffle.signal.files import RawFormat, open_reader
from unmuffle.signal.files.source import SourceLike


def diagnose(audio: npt.ArrayLike, sample_rate: int) -> Diagnosis:
    """Say what is wrong with a recording, and which stages treat it.

    Of more than ten minutes, twenty pieces of half a minute are listened to that are spread over all of it.

    Parameters
    ----------
    audio : array_like
        Speech, ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32. NaN and infinity
        count as silence, and are told.
    sample_rate : int
        In Hz, 8,000 to 192,000.

    Returns
    -------
    Diagnosis

    Raises
    ------
    InvalidAudioError
        If the array is empty or has a wrong shape or type.
    InvalidParameterError
        If the rate is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> diagnosis = diagnose(np.zeros(16_000), 16_000)
    >>> [finding.key for finding in diagnosis.findings], diagnosis.chain
    (['silent'], ())
    """
    samples = as_channels(check_whole(audio))
    collector = EvidenceCollector(sample_rate, len(samples))
    for piece in pieces_of(samples, sample_rate):
        collector.take(piece)
    return _concluded(collector, samples.shape[1] / sample_rate)


def diagnose_file(src: SourceLike, *, raw: RawFormat | None = None) -> Diagnosis:
    """Say what is wrong with a file of any format and length, in bounded memory; see ``diagnose``.

    Where the length is not known beforehand, as in a pipe, the first ten minutes are listened to.

    Parameters
    ----------
    src : path, bytes, or binary file object
        ``"-"`` is standard input.
    raw : RawFormat, optional
        Layout of headerless PCM.

    Raises
    ------
    AudioFileError
        If it cannot be read.
    """
    with open_reader(src, raw=raw) as reader:
        collector = EvidenceCollector(reader.info.sample_rate, reader.info.channels)
        for piece in read_pieces(reader):
            collector.take(piece)
        seconds = max(reader.info.seconds or 0.0, reader.position / reader.info.sample_rate)
        return _concluded(collector, seconds, tuple(reader.warnings))


def _concluded(collector: EvidenceCollector, seconds: float, warnings: tuple[str, ...] = ()) -> Diagnosis:
    evidence = collector.evidence()
    report = evidence.report
    return Diagnosis(
        findings_in(evidence),
        report.sample_rate,
        report.channels,
        seconds,
        evidence.heard_s,
        (*collector.warnings, *warnings),
    )
