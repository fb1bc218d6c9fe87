"""A live stream of a microphone array: blocks of many channels in, of one out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.array.choice import BeamChoice
from unmuffle.array.directions import DirectionLike, as_direction
from unmuffle.array.faults import MicrophoneFault
from unmuffle.array.geometry import ArrayGeometry, GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.mask_beamformer import MaskBeamformer
from unmuffle.array.microphone_watch import MicrophoneWatch
from unmuffle.array.steered_beams import SteeredBeams
from unmuffle.array.watched_beam import MaskBeams, WatchedBeam
from unmuffle.errors import InvalidParameterError
from unmuffle.process.chain import Chain
from unmuffle.process.fixed_block import FixedBlock
from unmuffle.process.processor import Processor
from unmuffle.signal.arrays import AnyArray, from_float32, to_float32


class ArrayStream:
    """Makes one channel out of many as they come; made by ``unmuffle.array.open_stream``.

    NaN and infinity in the input are replaced by silence and counted.

    Attributes
    ----------
    sample_rate, channels : int
        Of the input.
    block_size : int or None
        Samples in every block, or None where blocks may have any size.
    warnings : tuple of str
        What is to be told of the geometry.
    """

    def __init__(
        self,
        processor: Processor,
        block_size: int | None,
        watch: MicrophoneWatch | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        self._processor = processor
        self._runner: Processor | FixedBlock = processor if block_size is None else FixedBlock(processor, block_size)
        self.sample_rate, self.channels = processor.sample_rate, processor.channels
        self.block_size, self.warnings = block_size, warnings
        self._watch = watch
        self._dtype: np.dtype[np.generic] = np.dtype(np.float32)

    @property
    def latency(self) -> int:
        """By how many samples the output is behind the input, at most; exactly, with a block size."""
        return self._runner.delay if isinstance(self._runner, FixedBlock) else self._runner.latency

    @property
    def latency_ms(self) -> float:
        """``latency`` in milliseconds."""
        return 1e3 * self.latency / self.sample_rate

    @property
    def nonfinite_samples(self) -> int:
        """How many NaN or infinite samples were replaced by silence since the stream began."""
        return self._processor.nonfinite_samples

    @property
    def faults(self) -> tuple[MicrophoneFault, ...]:
        """What is wrong with microphones now, in order of the channels; none with ``check=False``.

        Those microphones are left out, unless fewer than two would be left: then only dead ones are.
        """
        return () if self._watch is None else self._watch.faults

    def process(self, block: npt.ArrayLike) -> AnyArray:
        """Take the next block [channels, n] in and return what is ready of the output, [m], of the block's type.

        Raises
        ------
        InvalidAudioError
            If the shape or the type is wrong.
        """
        samples = np.asarray(block)
        self._dtype = samples.dtype
        return from_float32(self._runner.process(to_float32(samples))[0], self._dtype)

    def flush(self) -> AnyArray:
        """End the stream: return the rest [k], and be as new."""
        return from_float32(self._runner.flush()[0], self._dtype)

    def reset(self) -> None:
        """Forget the past."""
        self._runner.reset()


def open_stream(
    geometry: GeometryLike | int,
    sample_rate: int,
    *,
    method: str = "mask-mvdr",
    toward: DirectionLike = "auto",
    nulls: str = "",
    noise: npt.ArrayLike | None = None,
    denoise: bool = False,
    wpe: bool = False,
    check: bool = True,
    block_size: int | None = None,
    reference: int = -1,
    postfilter: str = "none",
    temperature_c: float = 20.0,
) -> ArrayStream:
    """Open a live stream.

    Parameters
    ----------
    geometry : ArrayGeometry, str, path or int
        Of the microphones, in the order of the channels; or only how many there are, for ``mask-mvdr``, ``gev`` and
        ``mwf``.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    method : str, default "mask-mvdr"
        One of ``unmuffle.array.BEAMFORMERS``.
    toward : Direction, float or str, default "auto"
        Of the voice, for methods that are steered: those need one here.
    nulls : str, default ""
        Directions to take out, with semicolons between them, for ``lcmv``.
    noise : float [microphones, samples], optional
        Noise alone, for ``mvdr`` and ``lcmv``.
    denoise : bool, default False
        Have the package's denoiser take what the beam has left, 32 ms later.
    wpe : bool, default False
        Take late reverberation off all microphones first, 64 ms later.
    check : bool, default True
        Leave microphones out while they are faulty; see ``ArrayStream.faults``.
    block_size : int, optional
        Samples of every block, which then is answered by one of the same size.
    reference : int, default -1
        Microphone whose voice is kept by methods with a mask; -1 for that of the best SNR.
    postfilter : {"none", "zelinski", "mccowan"}, default "none"
        What takes out noise that the beam has left, for methods that are steered.
    temperature_c : float, default 20
        Of the air, -50 to 60 degrees Celsius.

    Raises
    ------
    InvalidParameterError
        If there is a single microphone, or a parameter is not as above.
    """
    choice = BeamChoice(method, toward, nulls, reference, temperature_c, postfilter)
    if isinstance(geometry, int):
        array, channels = None, geometry
    else:
        array = as_geometry(geometry)
        channels = array.microphones
    if choice.solver is None and choice.is_auto:
        raise InvalidParameterError(
            f"{method} needs a direction in a live stream: give toward=, or use mask-mvdr, which follows the voice"
        )
    warning = None if choice.solver is not None or array is None else array.aliasing_warning(sample_rate)
    aperture_m = 0.0 if array is None else array.aperture_m
    watch = MicrophoneWatch(sample_rate, channels, aperture_m=aperture_m, nonfinite="silence") if check else None
    stages: list[Processor] = [] if watch is None else [watch]
    if wpe:
        from unmuffle.repair.wpe import Wpe

        stages.append(Wpe(sample_rate, channels, link_channels=True, nonfinite="silence"))
    stages.append(_beam(choice, sample_rate, channels, array, noise, watch))
    if denoise:
        from unmuffle.denoise.choice import Choice

        stages.append(Choice().processor(sample_rate, 1, nonfinite="silence")[0])
    processor = stages[0] if len(stages) == 1 else Chain(stages)
    return ArrayStream(processor, block_size, watch, () if warning is None else (warning,))


def _beam(
    choice: BeamChoice,
    sample_rate: int,
    channels: int,
    array: ArrayGeometry | None,
    noise: npt.ArrayLike | None,
    watch: MicrophoneWatch | None,
) -> Processor:
    """Return the beamformer, which heeds the watch if there is one."""
    toward = as_direction(0.0 if choice.is_auto else choice.toward)
    if choice.solver is None and array is not None:
        beams = SteeredBeams(choice, sample_rate, array, toward, noise, "silence")
        return beams.whole if watch is None else WatchedBeam(watch, beams)
    beam = choice.online(sample_rate, channels, array, toward, noise, "silence")
    if watch is None or not isinstance(beam, MaskBeamformer):
        return beam
    return WatchedBeam(watch, MaskBeams(beam))
