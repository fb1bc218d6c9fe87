"""Which beamformer a recording gets, after a first look at it where the method asks for one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unmuffle.array.beamform_options import BeamformOptions, BeamformReport
from unmuffle.array.beamform_recording import Recording, processed
from unmuffle.array.beamformer import FixedBeamformer
from unmuffle.array.choice import BeamChoice
from unmuffle.array.directions import Direction, as_direction
from unmuffle.array.geometry import ArrayGeometry
from unmuffle.array.localization import localize
from unmuffle.array.mask_covariances import HOPS_OFFLINE, MaskCovariances
from unmuffle.array.mask_solver import Solver, microphone_snrs
from unmuffle.array.noise_sample import speech_warning
from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.process.processor import Processor
from unmuffle.signal.arrays import BoolArray


def plan_beam(
    recording: Recording, array: ArrayGeometry | None, options: BeamformOptions, report: BeamformReport
) -> tuple[Processor, BeamformReport]:
    """Return the beamformer for a recording, and what is to be reported of it.

    Parameters
    ----------
    recording : Recording
    array : ArrayGeometry, optional
        Of the microphones that are used.
    options : BeamformOptions
    report : BeamformReport
        To be filled in.
    """
    choice, rate, channels = options.choice, recording.sample_rate, recording.microphones
    if choice.solver is not None:
        if options.noise is not None:
            # It has the words for why not.
            choice.online(rate, channels, array, 0.0, np.zeros((channels, 1)))
        return _by_mask(recording, choice.solver, options, report)
    toward = _toward(choice, recording, array)
    noise = None if options.noise is None else recording.noise(options.noise)
    hops = 2 if options.online else HOPS_OFFLINE
    beam = choice.online(rate, channels, array, toward, noise, hops_a_window=hops)
    warning = None if noise is None else speech_warning(noise, rate)
    return beam, replace(report, toward=toward, warnings=() if warning is None else (warning,))


def wpe_stages(options: BeamformOptions, sample_rate: int, channels: int) -> list[Processor]:
    """Return what takes late reverberation off, if it is asked for."""
    if not options.wpe:
        return []
    from unmuffle.repair.wpe import Wpe

    return [Wpe(sample_rate, channels, link_channels=True)]


def _by_mask(
    recording: Recording, solver: Solver, options: BeamformOptions, report: BeamformReport
) -> tuple[Processor, BeamformReport]:
    reference = _place_of(options.choice.reference, recording.used)
    if options.online:
        chosen = replace(options.choice, reference=reference)
        return chosen.online(recording.sample_rate, recording.microphones, None, 0.0), report
    gathered = _gathered(recording, options)
    if reference < 0:
        reference = int(microphone_snrs(gathered.speech, gathered.noise).argmax())
    weights = gathered.weights(solver, reference)
    kept = int(np.flatnonzero(recording.used)[reference])
    return FixedBeamformer(recording.sample_rate, weights, hops_a_window=HOPS_OFFLINE), replace(report, reference=kept)


def _gathered(recording: Recording, options: BeamformOptions) -> MaskCovariances:
    """Return the covariances of all of a recording, as it comes to the beamformer."""
    covariances = MaskCovariances(recording.sample_rate, recording.microphones)
    source = recording.used_blocks()
    for processor in wpe_stages(options, recording.sample_rate, recording.microphones):
        source = processed(processor, source)
    for block in source:
        covariances.process(block)
    return covariances


def _toward(choice: BeamChoice, recording: Recording, array: ArrayGeometry | None) -> Direction:
    if not choice.is_auto:
        return as_direction(choice.toward)
    if array is None:
        raise InvalidParameterError(
            f"{choice.method} needs to know where the microphones are: give a geometry, or use mask-mvdr"
        )
    found = localize(recording.used_start, recording.sample_rate, array, temperature_c=choice.temperature_c)
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
