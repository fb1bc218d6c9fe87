"""The settings of an enhancement, and what can be done with them: arrays, files, streams."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from unmuffle.denoise.choice import Choice, ModelName
from unmuffle.enhancer import files
from unmuffle.enhancer.noise_sample import CutAudio, NoiseSample, noise_profile, read_span
from unmuffle.enhancer.stream import EnhancerStream
from unmuffle.errors import InvalidParameterError
from unmuffle.process import DryWet, wet_share
from unmuffle.process.processor import NonFinite
from unmuffle.process.whole import check_whole, run_whole
from unmuffle.signal.arrays import AnyArray, FloatArray
from unmuffle.signal.files import AudioReader, RawFormat, open_reader
from unmuffle.signal.files.opening import DestinationLike
from unmuffle.signal.files.source import SourceLike


@dataclass(frozen=True)
class Enhancer:
    """How voices are to be made clear; one object serves any number of arrays, files and streams.

    Parameters
    ----------
    method : str, default "auto"
        The best there is, or one of ``unmuffle methods``.
    strength : float, default 1.0
        How much of the effect is heard: 0 gives the input back bit for bit, 1 all of it.
    max_attenuation_db : float, optional
        Nothing is attenuated by more than this; 12 keeps some of the surroundings, 6 much of them.
    noise_profile : array, (start_s, end_s) or path, optional
        Noise alone, for noise that stays the same: samples at the audio's rate, a span of the audio in seconds, or a
        file. Without it the noise is followed as it changes.
    residual : bool, default False
        Give what was removed instead of what was kept.
    link_channels : bool, default True
        Give all channels the same gains, so that a voice keeps its place in the stereo image. For channels that are not
        one recording, such as the two ends of a call or the callers of a server, pass False.
    nonfinite : {"raise", "silence"}, default "raise"
        Whether NaN and infinity in arrays and files are an error or are replaced by silence; streams always replace.
    model : str or path, optional
        A network instead of a method: the name of one of ``unmuffle models``, or an ONNX file of one's own.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    ModelError
        If the model is a file that does not exist; other faults of it are found when it is first used.

    Warns
    -----
    UserWarning
        If ONNX Runtime cannot load a model that came with the package: log-MMSE then does the work.

    Examples
    --------
    >>> import numpy as np
    >>> enhancer = Enhancer("log_mmse", max_attenuation_db=18)
    >>> noisy = 0.01 * np.random.default_rng(0).standard_normal((2, 16_000))
    >>> enhancer.enhance(noisy, 16_000).shape
    (2, 16000)
    """

    method: str = "auto"
    strength: float = 1.0
    max_attenuation_db: float | None = None
    noise_profile: NoiseSample | None = None
    residual: bool = False
    link_channels: bool = True
    nonfinite: NonFinite = "raise"
    model: ModelName | None = None

    def __post_init__(self) -> None:
        Choice(self.method, self.model)
        wet_share(self.strength, self.max_attenuation_db)
        if self.nonfinite not in ("raise", "silence"):
            raise InvalidParameterError(f"nonfinite must be 'raise' or 'silence', not {self.nonfinite!r}")

    def enhance(self, audio: npt.ArrayLike, sample_rate: int) -> AnyArray:
        """Enhance a whole array.

        Parameters
        ----------
        audio : array_like
            ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32. It is not changed.
        sample_rate : int
            In Hz, 8,000 to 192,000.

        Returns
        -------
        ndarray
            Of the shape and type of ``audio``.

        Raises
        ------
        InvalidAudioError
            If the array is empty, has a wrong shape or type, or holds NaN or infinity.
        InvalidParameterError
            If the rate is out of range.
        """
        given = check_whole(audio)
        samples = np.atleast_2d(given)
        processor = _warned(
            self._processor(
                sample_rate, len(samples), lambda start_s, end_s: _cut(samples, sample_rate, start_s, end_s)
            )
        )

        def check(block: FloatArray, start: int) -> None:
            files.check_finite(block, start, sample_rate, "the audio")

        out = run_whole(processor, samples, check if self.nonfinite == "raise" else None)
        if wet_share(self.strength, self.max_attenuation_db) == 0.0 and not self.residual:
            # Bit for bit, also what float32 could not hold; what is not finite was replaced.
            np.copyto(out, samples, where=np.isfinite(samples))
        return out.reshape(given.shape)

    def enhance_file(
        self,
        src: SourceLike,
        dst: DestinationLike,
        *,
        save_removed: str | os.PathLike[str] | BinaryIO | None = None,
        overwrite: bool = False,
        raw: RawFormat | None = None,
        progress: files.Progress | None = None,
    ) -> files.FileReport:
        """Enhance a file of any format and any length into another, in constant memory.

        Rate, channels, sample format and tags are kept; a video keeps its picture and subtitles bit for bit.

        Parameters
        ----------
        src : path, bytes, or binary file object
            ``"-"`` is standard input.
        dst : path or binary file object
            The extension chooses the format. ``"-"`` is standard output. It appears when it is whole, not before.
        save_removed : path or binary file object, optional
            Also write there what was removed.
        overwrite : bool, default False
            Replace ``dst`` if it exists. It can never be ``src``.
        raw : RawFormat, optional
            Layout of headerless PCM, for both input and output.
        progress : callable, optional
            Called after each block with the seconds done and the seconds in all (None if not known).

        Returns
        -------
        FileReport
            Length, time taken, and warnings.

        Raises
        ------
        UnmuffleError
            With the file's name and what is wrong with it; nothing is then left behind.
        """

        def cut(start_s: float, end_s: float) -> FloatArray:
            if src == "-" or not isinstance(src, (str, os.PathLike, bytes)):
                raise InvalidParameterError(
                    "a stream cannot be read twice, once for its noise: give the noise profile as an array or a file"
                )
            with open_reader(src, raw=raw) as reader:
                return read_span(reader, start_s, end_s)

        stood_in: list[str] = []

        def make_processor(reader: AudioReader) -> DryWet:
            processor, warning = self._processor(reader.info.sample_rate, reader.info.channels, cut)
            stood_in.extend([warning] if warning else [])
            return processor

        report = files.run(files.FileJob(src, dst, save_removed, overwrite, raw, progress), make_processor)
        return replace(report, warnings=(*stood_in, *report.warnings))

    def open_stream(self, sample_rate: int, channels: int = 1, block_size: int | None = None) -> EnhancerStream:
        """Open a live stream; see ``unmuffle.open_stream``."""
        processor = _warned(self._processor(sample_rate, channels, None, nonfinite="silence"))
        return EnhancerStream(processor, block_size)

    def _processor(
        self, sample_rate: int, channels: int, cut: CutAudio | None, nonfinite: NonFinite | None = None
    ) -> tuple[DryWet, str | None]:
        """Return what does the work, and a warning if it is not what was asked for."""
        sample = self.noise_profile
        noise = None if sample is None else noise_profile(sample, sample_rate, cut)
        processor, warning = Choice(self.method, self.model).processor(
            sample_rate,
            channels,
            noise,
            link_channels=self.link_channels,
            nonfinite=nonfinite or self.nonfinite,
        )
        return DryWet(processor, self.strength, self.max_attenuation_db, residual=self.residual), warning


def _warned(made: tuple[DryWet, str | None]) -> DryWet:
    """Give the warning to who called the method that made the processor."""
    processor, warning = made
    if warning:
        warnings.warn(warning, UserWarning, stacklevel=3)
    return processor


def _cut(samples: AnyArray, sample_rate: int, start_s: float, end_s: float) -> AnyArray:
    return samples[:, round(start_s * sample_rate) : round(end_s * sample_rate)]
