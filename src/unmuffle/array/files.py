"""Files of many microphones into files of one channel, block by block."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from unmuffle.array.beamform import BLOCK_S
from unmuffle.array.beamform_options import BeamformOptions, BeamformReport
from unmuffle.array.beamform_run import beamform_blocks
from unmuffle.array.geometry import GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.errors import AudioFileError
from unmuffle.signal.arrays import FloatArray, check_finite


def beamform_file(
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    geometry: GeometryLike | None,
    options: BeamformOptions,
    *,
    overwrite: bool = False,
) -> BeamformReport:
    """Make one channel of the voice out of a file of many microphones, in constant memory.

    The file is read up to three times, so it cannot be standard input.

    Raises
    ------
    UnmuffleError
        With what is wrong; nothing is then left behind.
    """
    from unmuffle.signal.files import open_reader, open_writer, probe

    if str(src) == "-":
        raise AudioFileError("a beam is made of a file, which is read more than once: save standard input as a file")
    info = probe(src)

    def blocks() -> Iterator[FloatArray]:
        with open_reader(src) as reader:
            for block in reader.blocks(round(BLOCK_S * reader.info.sample_rate)):
                check_finite(str(src), block)
                yield block

    array = None if geometry is None else as_geometry(geometry)
    output = replace(info, channels=1, layout="mono", bit_rate=None)
    out, report = beamform_blocks(blocks, info.sample_rate, info.channels, array, options)
    with open_writer(dst, output, source=src if info.has_video else None, overwrite=overwrite) as writer:
        for block in out:
            writer.write(block[None])
    return replace(report, warnings=(*report.warnings, *writer.warnings))
