"""The settings of an enhancement, and what can be done with them: arrays, files, streams."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from unmuffle.denoise.choice import Choice, ModelName
from unmuffle.enhancer import files
from unmuffle.enhancer.chosen_chain import PresetName, chosen_chain
from unmuffle.enhancer.noise_sample import CutAudio, NoiseSample, noise_profile, read_span
from unmuffle.enhancer.overload import OnOverload, Overload, check_on_overload
from unmuffle.enhancer.steps import Asked, lay_steps, only_step
from unmuffle.enhancer.stream import EnhancerStream
from unmuffle.errors import InvalidParameterError
from unmuffle.level.normalization import normalize_loudness
from unmuffle.level.targets import LoudnessTarget, loudness_target
from unmuffle.presets import Preset, build_chain
from unmuffle.process import DryWet, wet_share
from unmuffle.process.dry_wet import Strength, check_keep
from unmuffle.process.processor import NonFinite
from unmuffle.process.whole import check_whole, run_whole
from unmuffle.signal.arrays import AnyArray, FloatArray, from_float32, to_float32
from unmuffle.signal.files import AudioReader, RawFormat, open_reader
from unmuffle.signal.files.opening import DestinationLike
from unmuffle.signal.files.source import SourceLike

if TYPE_CHECKING:
    from unmuffle.cache import Cache
    from unmuffle.enhancer.recipe import Recipe


@dataclass(frozen=True)
class Enhancer:
    """How voices are to be made clear; one object serves any number of arrays, files and streams.

    Parameters
    ----------
    method : str, default "auto"
        The best there is, or one of ``unmuffle methods``.
    strength : float or "auto", default 1.0
        How much of the effect is heard: 0 gives the input back bit for bit, 1 all of it. With ``"auto"`` it follows the
        noise, and clean speech passes.
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
    loudness : float or str, optional
        Bring the result to this integrated loudness: LUFS, -60 to -5, or podcast (-16), broadcast (-23), atsc (-24) or
        streaming (-14). For arrays and files only: a stream has no whole to measure.
    true_peak : float, optional
        Ceiling for true peaks in dBTP, -20 to 0, if there is a ``loudness``: -1 unless the name says otherwise.
    preset : str or path, optional
        A chain of stages instead of the denoiser alone: the name of one of ``unmuffle presets``, or a TOML file. Other
        arguments that are given take the place of what it says of its denoiser and its loudness.
    chain : str, optional
        Or the chain itself, as in ``"highpass,dehum,denoise:strength=auto,level"``; see ``unmuffle presets --stages``.
    keep : {"music"}, optional
        Let music and singing pass, too, whatever the strength: what is both, a voice over music, is left as it is.

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
    strength: Strength = 1.0
    max_attenuation_db: float | None = None
    noise_profile: NoiseSample | None = None
    residual: bool = False
    link_channels: bool = True
    nonfinite: NonFinite = "raise"
    model: ModelName | None = None
    loudness: float | str | None = None
    true_peak: float | None = None
    preset: PresetName | None = None
    chain: str | None = None
    keep: str | None = None

    def __post_init__(self) -> None:
        Choice(self.method, self.model)
        wet_share(self.strength, self.max_attenuation_db)
        check_keep(self.keep)
        if self.nonfinite not in ("raise", "silence"):
            raise InvalidParameterError(f"nonfinite must be 'raise' or 'silence', not {self.nonfinite!r}")
        if self.loudness is not None and self.residual:
            raise InvalidParameterError("loudness is for the result and residual for what was removed: give one")
        _ = self._target

    @property
    def _preset(self) -> Preset | None:
        """The chain there is, with what was asked of its denoiser."""
        plain = Enhancer.__dataclass_fields__
        names = ("method", "model", "strength", "max_attenuation_db", "keep")
        wanted = {name: getattr(self, name) for name in names if getattr(self, name) != plain[name].default}
        if "model" in wanted:
            wanted["model"] = os.fspath(wanted["model"])
        return chosen_chain(self.preset, self.chain, wanted)

    @property
    def _target(self) -> LoudnessTarget | None:
        preset = self._preset
        if self.loudness is not None:
            return loudness_target(self.loudness, self.true_peak)
        if preset is not None and preset.loudness_lufs is not None and not self.residual:
            ceiling = preset.true_peak_dbtp if self.true_peak is None else self.true_peak
            return loudness_target(preset.loudness_lufs, ceiling)
        if self.true_peak is not None:
            raise InvalidParameterError(
                "true_peak is the ceiling of a loudness: give a loudness as well, for instance -16"
            )
        return None

    def recipe(self) -> Recipe:
        """Tell all that changes a result but the audio itself: the settings by their content, and the network's bytes.

        Returns
        -------
        Recipe
            Of the settings as they are now: the files that they name may change.

        Raises
        ------
        NotCacheableError
            If a network has part of its weights in other files, which are not looked at.
        UnmuffleError, OSError
            If a file that is named cannot be read.
        """
        from unmuffle.enhancer.recipe import recipe_of

        return recipe_of(self, self._preset, self._target)

    def enhance(self, audio: npt.ArrayLike, sample_rate: int, *, cache: Cache | bool | None = None) -> AnyArray:
        """Enhance a whole array.

        Parameters
        ----------
        audio : array_like
            ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32. It is not changed.
        sample_rate : int
            In Hz, 8,000 to 192,000.
        cache : Cache or bool, optional
            Return what the same array was made into before, if that is kept in this ``unmuffle.cache.Cache`` (True for
            the one in the user's own folder), and keep it there if not.

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
        if cache is not None:
            from unmuffle.enhancer import cached

            kept = cached.chosen_cache(cache)
            if kept is not None:
                return cached.enhance_array(
                    given, sample_rate, kept, self.recipe, lambda: self._enhanced_whole(given, sample_rate)
                )
        return self._enhanced_whole(given, sample_rate)[0]

    def _enhanced_whole(self, given: AnyArray, sample_rate: int) -> tuple[AnyArray, bool]:
        """Enhance a whole array, and tell whether what was asked for did it."""
        samples = np.atleast_2d(given)
        target = self._target
        if target is None:
            out, as_asked = self._enhanced(samples, sample_rate)
            return out.reshape(given.shape), as_asked
        # Integers are rounded once, at the end, when their level is right.
        whole, as_asked = self._enhanced(to_float32(samples), sample_rate)
        louder = normalize_loudness(whole, sample_rate, target.lufs, target.true_peak_dbtp)
        return from_float32(louder, given.dtype).reshape(given.shape), as_asked

    def _enhanced(self, samples: AnyArray, sample_rate: int) -> tuple[AnyArray, bool]:
        """Enhance [channels, samples], whatever its loudness is to be, and tell whether what was asked for did it."""
        made = self._processor(
            sample_rate, len(samples), lambda start_s, end_s: _cut(samples, sample_rate, start_s, end_s)
        )
        processor = _warned(made)

        def check(block: FloatArray, start: int) -> None:
            files.check_finite(block, start, sample_rate, "the audio")

        out = run_whole(processor, samples, check if self.nonfinite == "raise" else None)
        if self._preset is None and wet_share(self.strength, self.max_attenuation_db) == 0.0 and not self.residual:
            # Bit for bit, also what float32 could not hold; what is not finite was replaced.
            np.copyto(out, samples, where=np.isfinite(samples))
        return out, made[1] is None

    def enhance_file(
        self,
        src: SourceLike,
        dst: DestinationLike,
        *,
        save_removed: str | os.PathLike[str] | BinaryIO | None = None,
        overwrite: bool = False,
        raw: RawFormat | None = None,
        progress: files.Progress | None = None,
        cache: Cache | bool | None = None,
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
        cache : Cache or bool, optional
            Copy what the same file was made into before, if that is kept in this ``unmuffle.cache.Cache`` (True for the
            one in the user's own folder), and keep it there if not. Streams are neither kept nor found.

        Returns
        -------
        FileReport
            Length, time taken, warnings, how the loudness was reached if one was asked for, and the strength over time
            if it followed the audio.

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

        def run(job: files.FileJob) -> files.FileReport:
            report = files.run(job, make_processor)
            return replace(report, warnings=(*stood_in, *report.warnings))

        job = files.FileJob(src, dst, save_removed, overwrite, raw, progress, self._target)
        if cache is not None:
            from unmuffle.enhancer import cached

            kept = cached.chosen_cache(cache)
            if kept is not None:
                return cached.enhance_file(job, kept, self.recipe, run, lambda: not stood_in)
        return run(job)

    @property
    def side_by_side(self) -> bool:
        """Whether clips of one channel may be enhanced as channels of one processor.

        Not where a clip has to be looked at as a whole, or more is told of it than the result.
        """
        plain = self._preset is None and self._target is None and not self.residual and self.keep is None
        return plain and self.strength != "auto" and not isinstance(self.noise_profile, tuple)

    def processor_for_clips(self, sample_rate: int, clips: int) -> tuple[DryWet, str | None]:
        """Return what enhances so many clips side by side, and a warning if it is not what was asked for.

        Raises
        ------
        UnmuffleError
            If it cannot be had at this rate.
        """
        return self._processor(sample_rate, clips, None, link_channels=False)

    def open_stream(
        self, sample_rate: int, channels: int = 1, block_size: int | None = None, *, on_overload: OnOverload = "keep"
    ) -> EnhancerStream:
        """Open a live stream; see ``unmuffle.open_stream``."""
        check_on_overload(on_overload)
        if self.loudness is not None:
            raise InvalidParameterError(
                "a live stream cannot be brought to a loudness, which is that of a whole programme: "
                "leave loudness out, or put an unmuffle.level.Leveler behind the stream"
            )
        made = self._processor(sample_rate, channels, None, nonfinite="silence")
        sample = self.noise_profile
        asked = Asked(
            Choice(self.method, self.model),
            self._preset,
            None if sample is None else lambda: noise_profile(sample, sample_rate, None),
            self.link_channels,
            stood_in=made[1] is not None,
        )
        processor = _warned(made)
        steps = lay_steps(processor, asked) if on_overload == "step_down" else only_step(asked)
        return EnhancerStream(processor, block_size, Overload(steps))

    def _processor(
        self,
        sample_rate: int,
        channels: int,
        cut: CutAudio | None,
        *,
        nonfinite: NonFinite | None = None,
        link_channels: bool | None = None,
    ) -> tuple[DryWet, str | None]:
        """Return what does the work, and a warning if it is not what was asked for."""
        sample = self.noise_profile
        noise = None if sample is None else noise_profile(sample, sample_rate, cut)
        settings: dict[str, Any] = {
            "link_channels": self.link_channels if link_channels is None else link_channels,
            "nonfinite": nonfinite or self.nonfinite,
        }
        preset = self._preset
        if preset is not None:
            staged, told = build_chain(preset.chain, sample_rate, channels, noise=noise, **settings)
            return DryWet(staged, residual=self.residual), "; ".join(told) or None
        processor, warning = Choice(self.method, self.model).processor(sample_rate, channels, noise, **settings)
        mix = DryWet(processor, self.strength, self.max_attenuation_db, residual=self.residual, keep=self.keep)
        return mix, warning


def _warned(made: tuple[DryWet, str | None]) -> DryWet:
    """Give the warning to who called the method that made the processor."""
    processor, warning = made
    if warning:
        warnings.warn(warning, UserWarning, stacklevel=3)
    return processor


def _cut(samples: AnyArray, sample_rate: int, start_s: float, end_s: float) -> AnyArray:
    return samples[:, round(start_s * sample_rate) : round(end_s * sample_rate)]
