"""A recording that comes in blocks into one channel: looked at, planned, and run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from unmuffle.array.beamform_options import BeamformOptions, BeamformReport
from unmuffle.array.beamform_plan import plan_beam, wpe_stages
from unmuffle.array.beamform_recording import Blocks, Recording, first_samples, processed
from unmuffle.array.choice import BeamChoice
from unmuffle.array.faults import LONGEST_S, find_faulty_microphones, healthy_channels
from unmuffle.array.geometry import ArrayGeometry
from unmuffle.array.swapped import find_swapped_channels
from unmuffle.errors import InvalidParameterError
from unmuffle.process.chain import Chain
from unmuffle.process.processor import Processor
from unmuffle.signal.arrays import FloatArray


def beamform_blocks(
    blocks: Blocks, sample_rate: int, channels: int, geometry: ArrayGeometry | None, options: BeamformOptions
) -> tuple[Iterator[FloatArray], BeamformReport]:
    """Plan what is to be done with a recording that comes in blocks [channels, n], and begin.

    Returns
    -------
    iterator of float32 [n]
        The output, to be taken to its end.
    BeamformReport

    Raises
    ------
    InvalidAudioError, InvalidParameterError, ModelError
        See ``unmuffle.array.beamform``.
    """
    _check_fit(geometry, channels)
    start = first_samples(blocks, round(LONGEST_S * sample_rate), channels)
    faults = find_faulty_microphones(start, sample_rate) if options.check else []
    used = healthy_channels(faults, channels)
    warnings = [] if used.sum() < channels or not faults else [f"{fault}, and is used all the same" for fault in faults]
    array = None if geometry is None else geometry.subset(used)
    recording = Recording(blocks, sample_rate, used, start)
    report = BeamformReport(options.choice.method, left_out=tuple(f for f in faults if not used[f.channel]))
    if options.check and array is not None and options.choice.solver is None:
        array, report = _in_order(recording, array, options.choice, report)
    beam, report = plan_beam(recording, array, options, report)
    if report.toward is not None and array is not None and (warning := array.aliasing_warning(sample_rate)):
        warnings.append(warning)
    stages: list[Processor] = [*wpe_stages(options, sample_rate, recording.microphones), beam]
    if options.denoise:
        from unmuffle.denoise.choice import Choice

        denoiser, warning = Choice().processor(sample_rate, 1)
        stages.append(denoiser)
        warnings += [warning] if warning else []
    return _run(Chain(stages), recording), replace(report, warnings=(*report.warnings, *warnings))


def _check_fit(geometry: ArrayGeometry | None, channels: int) -> None:
    if channels < 2:
        raise InvalidParameterError(
            "the recording has a single channel, and space needs two: use unmuffle.enhance or 'unmuffle enhance'"
        )
    if geometry is not None:
        geometry.check_channels(channels)


def _in_order(
    recording: Recording, array: ArrayGeometry, choice: BeamChoice, report: BeamformReport
) -> tuple[ArrayGeometry, BeamformReport]:
    """Return the geometry in the order in which the channels seem to be."""
    toward = None if choice.is_auto else choice.toward
    swapped = find_swapped_channels(
        recording.used_start, recording.sample_rate, array, toward=toward, temperature_c=choice.temperature_c
    )
    if swapped is None:
        return array, report
    order = np.arange(array.microphones)
    order[[swapped.first, swapped.second]] = swapped.second, swapped.first
    return array.subset(order), replace(report, swapped=swapped.of_channels(np.flatnonzero(recording.used)))


def _run(processor: Processor, recording: Recording) -> Iterator[FloatArray]:
    for block in processed(processor, recording.used_blocks()):
        yield block[0]
