"""A recording of many microphones into one channel: arrays and, block by block in constant memory, files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from unmuffle.array.beamformer import FixedBeamformer
from unmuffle.array.choice import BeamChoice
from unmuffle.array.directions import Direction, DirectionLike, as_direction
from unmuffle.array.faults import LONGEST_S, MicrophoneFault, find_faulty_microphones, healthy_channels
from unmuffle.array.geometry import ArrayGeometry, GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.localization import checked_recording, localize
from unmuffle.array.mask_covariances import HOPS_OFFLINE, MaskCovariances
from unmuffle.array.mask_solver import microphone_snrs
from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.process.chain import Chain
from unmuffle.process.processor import Processor
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray, from_float32

BLOCK_S = 2.0

Blocks = Callable[[], Iterator[FloatArray]]
"""Begins anew at every call, and gives the blocks of the recording."""


@dataclass(frozen=True)
class BeamformOptions:
    """What is done besides the beam.

    Attributes
    ----------
    choice : BeamChoice
    noise : (start_s, end_s), optional
        Span of the recording that holds noise alone, for ``mvdr`` and ``lcmv``.
    online : bool
        Follow the voice through the recording, as a stream does, where methods with a mask otherwise know all of it.
    denoise : bool
        Have the package's denoiser take what the beam has left.
    wpe : bool
        Take late reverberation off all microphones first.
    check : bool
        Look for faulty microphones and leave them out.
    """

    choice: BeamChoice
    noise: tuple[float, float] | None = None
    online: bool = False
    denoise: bool = False
    wpe: bool = False
    check: bool = True


@dataclass(frozen=True)
class BeamformReport:
    """What was done.

    Attributes
    ----------
    method : str
    toward : Direction or None
        Of the beam; None where the method has none.
    reference : int or None
        Channel whose voice was kept, for methods with a mask that know the whole recording.
    left_out : tuple of MicrophoneFault
        Microphones that were not used.
    warnings : tuple of str
    """

    method: str
    toward: Direction | None = None
    reference: int | None = None
    left_out: tuple[MicrophoneFault, ...] = ()
    warnings: tuple[str, ...] = ()


def beamform(
    audio: npt.ArrayLike,
    sample_rate: int,
    geometry: GeometryLike | None = None,
    *,
    method: str = "mask-mvdr",
    toward: DirectionLike = "auto",
    nulls: str = "",
    noise: tuple[float, float] | None = None,
    online: bool = False,
    denoise: bool = False,
    wpe: bool = False,
    check: bool = True,
    reference: int = -1,
    temperature_c: float = 20.0,
) -> tuple[AnyArray, BeamformReport]:
    """Make one channel of the voice out of all microphones.

    Parameters
    ----------
    audio : array_like [microphones, samples]
        Float (full scale 1.0), int16 or int32; at least 2 microphones.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    geometry : ArrayGeometry, str or path, optional
        Of the microphones, in the order of the channels; not needed by ``mask-mvdr``, ``gev`` and ``mwf``.
    method : str, default "mask-mvdr"
        One of ``unmuffle.array.BEAMFORMERS``.
    toward : Direction, float or str, default "auto"
        Of the voice; ``"auto"`` finds it.
    nulls : str, default ""
        Directions to take out, with semicolons between them, for ``lcmv``.
    noise, online, denoise, wpe, check
        See ``BeamformOptions``.
    reference : int, default -1
        Microphone whose voice is kept by methods with a mask; -1 for that of the best SNR.
    temperature_c : float, default 20
        Of the air, -50 to 60 degrees Celsius.

    Returns
    -------
    ndarray [samples]
        Of the type of ``audio``.
    BeamformReport

    Raises
    ------
    InvalidAudioError
        If the array has a wrong shape or type, holds NaN or infinity, or the span of noise holds speech.
    InvalidParameterError
        If there is a single channel, the geometry does not fit, or a parameter is out of range.
    """
    given = np.asarray(audio)
    samples = checked_recording(given, None)
    choice = BeamChoice(method, toward, nulls, reference, temperature_c)
    options = BeamformOptions(choice, noise, online, denoise, wpe, check)
    step = round(BLOCK_S * sample_rate)

    def blocks() -> Iterator[FloatArray]:
        for start in range(0, samples.shape[1], step):
            yield samples[:, start : start + step]

    array = None if geometry is None else as_geometry(geometry)
    out, report = beamform_blocks(blocks, sample_rate, len(samples), array, options)
    return from_float32(np.concatenate([np.zeros(0, np.float32), *out]), given.dtype), report


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
        See ``beamform``.
    """
    _check_fit(geometry, channels)
    start = _first(blocks, round(LONGEST_S * sample_rate), channels)
    faults = find_faulty_microphones(start, sample_rate) if options.check else []
    used = healthy_channels(faults, channels)
    warnings = [] if used.sum() < channels or not faults else [f"{fault}, and is used all the same" for fault in faults]
    array = None if geometry is None else geometry.subset(used)
    report = BeamformReport(options.choice.method, left_out=tuple(f for f in faults if not used[f.channel]))
    beam, report = _beam(_Recording(blocks, sample_rate, used, start), array, options, report)
    if report.toward is not None and array is not None and (warning := array.aliasing_warning(sample_rate)):
        warnings.append(warning)
    stages: list[Processor] = [*_wpe(options, sample_rate, int(used.sum())), beam]
    if options.denoise:
        from unmuffle.denoise.choice import Choice

        denoiser, warning = Choice().processor(sample_rate, 1)
        stages.append(denoiser)
        warnings += [warning] if warning else []
    return _run(Chain(stages), _picked(blocks, used)), replace(report, warnings=tuple(warnings))


@dataclass(frozen=True)
class _Recording:
    """A recording, which of its channels are used, and its first minute."""

    blocks: Blocks
    sample_rate: int
    used: BoolArray
    start: FloatArray


def _check_fit(geometry: ArrayGeometry | None, channels: int) -> None:
    if channels < 2:
        raise InvalidParameterError(
            "the recording has a single channel, and space needs two: use unmuffle.enhance or 'unmuffle enhance'"
        )
    if geometry is not None:
        geometry.check_channels(channels)


def _first(blocks: Blocks, samples: int, channels: int) -> FloatArray:
    """Return the beginning of a recording."""
    pieces: list[FloatArray] = [np.zeros((channels, 0), np.float32)]
    left = samples
    for block in blocks():
        pieces.append(block[:, :left])
        left -= pieces[-1].shape[1]
        if left <= 0:
            break
    start = np.concatenate(pieces, axis=1)
    if start.shape[1] == 0:
        raise InvalidAudioError("the recording has no samples")
    return start


def _beam(
    recording: _Recording, array: ArrayGeometry | None, options: BeamformOptions, report: BeamformReport
) -> tuple[Processor, BeamformReport]:
    """Return the beamformer for a recording, and what is to be reported of it."""
    choice, rate, channels = options.choice, recording.sample_rate, int(recording.used.sum())
    if choice.solver is not None:
        if options.noise is not None:
            choice.online(rate, channels, array, 0.0, np.zeros((channels, 1)))
        reference = _place_of(choice.reference, recording.used)
        if options.online:
            chosen = replace(choice, reference=reference)
            return chosen.online(rate, channels, array, 0.0), report
        gathered = _gathered(recording, options)
        if reference < 0:
            reference = int(microphone_snrs(gathered.speech, gathered.noise).argmax())
        weights = gathered.weights(choice.solver, reference)
        kept = int(np.flatnonzero(recording.used)[reference])
        return FixedBeamformer(rate, weights, hops_a_window=HOPS_OFFLINE), replace(report, reference=kept)
    start = recording.start[recording.used]
    toward = _toward(choice, start, rate, array)
    noise = None if options.noise is None else _span(start, rate, options.noise)
    hops = 2 if options.online else HOPS_OFFLINE
    return choice.online(rate, channels, array, toward, noise, hops_a_window=hops), replace(report, toward=toward)


def _gathered(recording: _Recording, options: BeamformOptions) -> MaskCovariances:
    """Return the covariances of all of a recording, as it comes to the beamformer."""
    channels = int(recording.used.sum())
    covariances = MaskCovariances(recording.sample_rate, channels)
    source = _picked(recording.blocks, recording.used)
    for processor in _wpe(options, recording.sample_rate, channels):
        source = _processed(processor, source)
    for block in source:
        covariances.process(block)
    return covariances


def _toward(choice: BeamChoice, start: FloatArray, sample_rate: int, array: ArrayGeometry | None) -> Direction:
    if not choice.is_auto:
        return as_direction(choice.toward)
    if array is None:
        raise InvalidParameterError(
            f"{choice.method} needs to know where the microphones are: give a geometry, or use mask-mvdr"
        )
    found = localize(start, sample_rate, array, temperature_c=choice.temperature_c)
    if not found:
        raise InvalidAudioError("the recording is silent, so that no direction can be found: give one")
    return found[0].direction


def _place_of(reference: int, used: BoolArray) -> int:
    """Return which of the used channels a channel is."""
    if reference < 0 or reference >= len(used):
        return reference
    if not used[reference]:
        raise InvalidParameterError(f"the reference, microphone {reference}, is left out as faulty: choose another one")
    return int(used[:reference].sum())


def _span(start: FloatArray, sample_rate: int, span: tuple[float, float]) -> FloatArray:
    begin_s, end_s = span
    if not 0.0 <= begin_s < end_s < np.inf:
        raise InvalidParameterError(f"the noise from {begin_s} s to {end_s} s is no span: start before end")
    cut = start[:, round(begin_s * sample_rate) : round(end_s * sample_rate)]
    if cut.shape[1] == 0:
        raise InvalidAudioError(f"the noise from {begin_s} s to {end_s} s lies beyond the first minute, or the end")
    return cut


def _wpe(options: BeamformOptions, sample_rate: int, channels: int) -> list[Processor]:
    if not options.wpe:
        return []
    from unmuffle.repair.wpe import Wpe

    return [Wpe(sample_rate, channels, link_channels=True)]


def _picked(blocks: Blocks, used: BoolArray) -> Iterator[FloatArray]:
    for block in blocks():
        yield block[used]


def _processed(processor: Processor, blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
    for block in blocks:
        yield processor.process(block)
    yield processor.flush()


def _run(processor: Processor, blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
    for block in _processed(processor, blocks):
        yield block[0]
