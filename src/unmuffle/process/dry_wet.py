"""How much of a processor's effect is heard: strength, a limit of attenuation, what is spared, and what was removed."""

from __future__ import annotations

from math import lcm
from typing import ClassVar, Literal, TypeAlias

import numpy as np

from unmuffle.errors import InvalidParameterError
from unmuffle.process.auto_strength import AutoStrength
from unmuffle.process.music import MusicSparing
from unmuffle.process.processor import IntOrArray, Processor
from unmuffle.process.strength_over_time import StrengthOverTime, StrengthTrace
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.fifo import SampleFifo

RAMP_S = 0.02
AUTO = "auto"
MUSIC = "music"
Strength: TypeAlias = float | Literal["auto"]


def wet_share(strength: Strength, max_attenuation_db: float | None) -> float:
    """Return the share of the processed signal in the mix.

    ``strength`` scales the effect, ``"auto"`` by 1 at the most. A limit of A dB lets the dry signal through at -A dB,
    so nothing is attenuated by more. Both are shares of one in-phase sum and so combine to one number.

    Raises
    ------
    InvalidParameterError
        If the strength is not ``"auto"`` or within 0 to 1, or the limit is negative or not a number.
    """
    if strength == AUTO:
        strength = 1.0
    if isinstance(strength, str) or not 0.0 <= strength <= 1.0:
        raise InvalidParameterError(
            f"strength is {strength!r}; it must be from 0 (untouched) to 1 (all of the effect), or 'auto'"
        )
    if max_attenuation_db is None:
        return float(strength)
    if not max_attenuation_db >= 0.0:
        raise InvalidParameterError(
            f"max_attenuation_db is {max_attenuation_db!r}; it must be 0 dB (untouched) or more, for instance 12"
        )
    return float(strength * (1.0 - 10.0 ** (-max_attenuation_db / 20.0)))


def check_keep(keep: str | None) -> str | None:
    """Return what is to be kept besides voices: ``"music"`` or nothing.

    Raises
    ------
    InvalidParameterError
        If it is something else.
    """
    if keep is None or keep == MUSIC:
        return keep
    raise InvalidParameterError(f"keep is {keep!r}; what can be kept besides voices is {MUSIC!r}")


class DryWet(Processor):
    """Mix what a processor gives with its input, delayed to be in phase with it.

    Parameters
    ----------
    processor : Processor
        Owned by the mix from now on.
    strength : float or "auto", default 1.0
        0 gives the input back bit for bit, 1 the processor's output. A number may be changed while the stream runs: the
        mix then glides to it in 20 ms. With ``"auto"`` it follows the noise; see ``AutoStrength``.
    max_attenuation_db : float, optional
        Nothing is attenuated by more than this.
    residual : bool, default False
        Give what the mix removed, input minus mix, instead of the mix.
    keep : {"music"}, optional
        Let music and singing pass, whatever the strength; see ``MusicSparing``.

    Raises
    ------
    InvalidParameterError
        If the processor gives another number of channels than it takes; and see ``wet_share`` and ``check_keep``.
    """

    heeds_empty_blocks: ClassVar[bool] = True

    def __init__(
        self,
        processor: Processor,
        strength: Strength = 1.0,
        max_attenuation_db: float | None = None,
        *,
        residual: bool = False,
        keep: str | None = None,
    ) -> None:
        super().__init__(processor.sample_rate, processor.channels, nonfinite=processor.nonfinite)
        if processor.channels_out != processor.channels:
            raise InvalidParameterError(
                f"{type(processor).__name__} makes {processor.channels_out} of {processor.channels} channels: "
                "its input cannot be mixed with its output"
            )
        self.processor = processor
        self.residual = residual
        self._max_attenuation_db = max_attenuation_db
        self._strength = strength
        self._share = self._target = wet_share(strength, max_attenuation_db)
        self._dry = SampleFifo(processor.channels)
        rate, channels, linked = processor.sample_rate, processor.channels, processor.linked
        self._auto = AutoStrength(rate, channels, link_channels=linked) if strength == AUTO else None
        self._sparing = MusicSparing(rate, channels, link_channels=linked) if check_keep(keep) else None
        deciding = self._auto or self._sparing
        self._trace = None if deciding is None else StrengthTrace(rate, deciding.period)

    @property
    def latency(self) -> int:
        """That of the processor."""
        return self.processor.latency

    @property
    def linked(self) -> bool:
        """That of the processor."""
        return self.processor.linked

    @property
    def block_period(self) -> int:
        """That of the processor, in whole steps of what decides on the strength."""
        deciding = (self._auto, self._sparing)
        return lcm(self.processor.block_period, *(one.period for one in deciding if one is not None))

    def complete_after(self, received: IntOrArray) -> IntOrArray:
        """Return that of the processor."""
        return self.processor.complete_after(received)

    def delay_for(self, block_size: int) -> int:
        """Return that of the processor."""
        return self.processor.delay_for(block_size)

    @property
    def strength(self) -> Strength:
        """How much of the effect is heard, 0 to 1, or ``"auto"``."""
        return self._strength

    @strength.setter
    def strength(self, strength: Strength) -> None:
        if AUTO in (strength, self._strength) and strength != self._strength:
            raise InvalidParameterError("a strength of 'auto' is chosen when a stream is opened, and stays")
        self._target = wet_share(strength, self._max_attenuation_db)
        self._strength = strength

    @property
    def strength_over_time(self) -> StrengthOverTime | None:
        """What the strength was since the stream began; None where nothing but the caller changes it.

        It still tells of a stream that has ended.
        """
        return None if self._trace is None else self._trace.result()

    def split(self, block: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Process a block and return both the mix and what it removed, each float32 [channels, m]."""
        block = self._checked(block)
        self._dry.push(block)
        mixed, dry = self._mix(self.processor.process(block))
        return mixed, dry - mixed

    def flush_split(self) -> tuple[FloatArray, FloatArray]:
        """End the stream and return the rest of the mix and of what it removed."""
        mixed, dry = self._mix(self.processor.flush())
        removed = dry - mixed
        self._reset(None)
        return mixed, removed

    def _process(self, block: FloatArray) -> FloatArray:
        self._dry.push(block)
        return self._chosen(self.processor.process(block))

    def _flush(self) -> FloatArray:
        return self._chosen(self.processor.flush())

    def _reset(self, mask: BoolArray | None) -> None:
        self.processor.reset(mask)
        for deciding in (self._auto, self._sparing):
            if deciding is not None:
                deciding.reset(mask)
        if mask is None:
            if self._trace is not None:
                self._trace.end()
            self._dry.clear()
            self._share = self._target
        else:
            self._dry.silence(mask)

    def _chosen(self, wet: FloatArray) -> FloatArray:
        mixed, dry = self._mix(wet)
        return dry - mixed if self.residual else mixed

    def _mix(self, wet: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the mix and the input in phase with it, which holds until the next block."""
        dry = self._dry.pop(wet.shape[1])
        share = self._next_shares(wet.shape[1])
        if self._trace is not None:
            share = share * self._decided(dry, wet, self._trace)
        if isinstance(share, float) and share in (0.0, 1.0):
            mixed = wet if share == 1.0 else dry.copy()
        else:
            # Rounding must not touch what passes whole.
            mixed = np.where(share == 0.0, dry, np.where(share == 1.0, wet, dry + share * (wet - dry)))
        return mixed, dry

    def _decided(self, dry: FloatArray, wet: FloatArray, trace: StrengthTrace) -> FloatArray:
        """Return by how much less than asked for the effect is to be heard, float32 [channels, n]."""
        shares = np.ones(dry.shape, np.float32) if self._auto is None else self._auto.shares(dry, wet)
        if self._sparing is not None:
            shares = shares * self._sparing.shares(dry)
        trace.add(shares if isinstance(self._strength, str) else shares * np.float32(self._strength))
        return shares

    def _next_shares(self, count: int) -> float | FloatArray:
        """Return the share of the wet signal in the next samples: one number, or [count] while it glides."""
        distance = self._target - self._share
        if distance == 0.0 or count == 0:
            return self._share
        step = np.copysign(1.0 / (RAMP_S * self.sample_rate), distance)
        shares = self._share + step * np.arange(1, count + 1)
        shares = np.minimum(shares, self._target) if distance > 0 else np.maximum(shares, self._target)
        self._share = float(shares[-1])
        return shares.astype(np.float32)
