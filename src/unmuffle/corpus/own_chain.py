"""The settings for one file of a batch in which each is diagnosed first and has its own chain."""

from __future__ import annotations

from dataclasses import replace

from unmuffle.enhancer import Enhancer
from unmuffle.errors import InvalidParameterError
from unmuffle.presets.chain import DENOISE
from unmuffle.signal.files import RawFormat

NOTHING = "gain"
"""A chain of one stage that, without a gain, gives its input back bit for bit."""


def with_own_chain(
    enhancer: Enhancer, source: str, raw: RawFormat | None = None
) -> tuple[Enhancer, str, tuple[str, ...]]:
    """Diagnose a file and return settings with its own chain.

    What the caller set of the denoiser holds where the chain has one; loudness and the rest hold in any case.

    Parameters
    ----------
    enhancer : Enhancer
        Settings without a preset or a chain.
    source : str
        Path of the file.
    raw : RawFormat, optional
        Layout of headerless PCM.

    Returns
    -------
    Enhancer
    str
        What was chosen and why, in one line.
    tuple of str
        Warnings.

    Raises
    ------
    InvalidParameterError
        If the source is standard input, which cannot be read twice.
    AudioFileError
        If it cannot be read.
    """
    # Imported here because measures take time to load, and most batches are not diagnosed.
    from unmuffle.measure.diagnosis import diagnose_file

    if source == "-":
        raise InvalidParameterError(
            "standard input cannot be read twice, once to diagnose it: give a file, or name a preset or a chain"
        )
    diagnosis = diagnose_file(source, raw=raw)
    chain = str(diagnosis)
    if not chain:
        why = ", ".join(finding.text for finding in diagnosis.findings)
        return _without_denoiser(enhancer, NOTHING), f"{source}: nothing done: {why}", diagnosis.warnings
    keys = ", ".join(finding.key for finding in diagnosis.findings if finding.stages)
    note = f"{source}: {chain} ({keys})"
    if any(choice.name == DENOISE for choice in diagnosis.chain):
        return replace(enhancer, chain=chain), note, diagnosis.warnings
    return _without_denoiser(enhancer, chain), note, diagnosis.warnings


def _without_denoiser(enhancer: Enhancer, chain: str) -> Enhancer:
    """Leave out what was set of a denoiser that is not needed."""
    return replace(
        enhancer,
        chain=chain,
        method="auto",
        model=None,
        strength=1.0,
        max_attenuation_db=None,
        noise_profile=None,
        keep=None,
    )
