"""The settings for one file that is diagnosed first and has its own chain."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unmuffle.enhancer import Enhancer
from unmuffle.errors import InvalidParameterError
from unmuffle.measure.diagnosis.diagnose import diagnose_file
from unmuffle.presets.chain import DENOISE
from unmuffle.signal.files import RawFormat

NOTHING = "gain"
"""A chain of one stage that, without a gain, gives its input back bit for bit."""


@dataclass(frozen=True)
class OwnChain:
    """What was chosen for a file.

    Attributes
    ----------
    enhancer : Enhancer
        Settings with the file's own chain.
    chain : str
        The chain as text; empty where nothing needs doing.
    note : str
        What was chosen and why, in one line.
    warnings : tuple of str
        Of the reading.
    """

    enhancer: Enhancer
    chain: str
    note: str
    warnings: tuple[str, ...] = ()


def with_own_chain(enhancer: Enhancer, source: str, raw: RawFormat | None = None) -> OwnChain:
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
    OwnChain

    Raises
    ------
    InvalidParameterError
        If the source is standard input, which cannot be read twice.
    AudioFileError
        If it cannot be read.
    """
    if source == "-":
        raise InvalidParameterError(
            "standard input cannot be read twice, once to diagnose it: give a file, or name a preset or a chain"
        )
    diagnosis = diagnose_file(source, raw=raw)
    chain = str(diagnosis)
    if not chain:
        why = ", ".join(finding.text for finding in diagnosis.findings)
        nothing = _without_denoiser(enhancer, NOTHING)
        return OwnChain(nothing, chain, f"nothing done: {why}", diagnosis.warnings)
    denoises = any(choice.name == DENOISE for choice in diagnosis.chain)
    own = replace(enhancer, chain=chain) if denoises else _without_denoiser(enhancer, chain)
    keys = ", ".join(finding.key for finding in diagnosis.findings if finding.stages)
    return OwnChain(own, chain, f"{chain} ({keys})", diagnosis.warnings)


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
