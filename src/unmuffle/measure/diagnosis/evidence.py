"""What is found in a recording, as numbers: measured piece by piece, before anything is concluded from it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError, ModelError
from unmuffle.level import LOUDEST
from unmuffle.level.speech_gate import SpeechGate
from unmuffle.measure.single.recording import RecordingAnalyzer, RecordingReport
from unmuffle.measure.single.reverberation import srmr
from unmuffle.measure.single.snr import SnrMeter
from unmuffle.measure.single.speech import SpeechMeter
from unmuffle.models import default_model
from unmuffle.repair import deess, dehum, deplosive, find_clicks, find_clipped, find_hum, high_pass
from unmuffle.repair.late_reverb_time import ReverberationTime
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.grid import grid_for
from unmuffle.signal.stft import StftStream

RUMBLE_HZ = 45.0
"""Below the fundamental of any voice and of 50 Hz mains."""

VOICE_HZ = (300.0, 3_000.0)
SPEECH_PRESENCE = 0.5
EDGE_S = 0.05
"""What the click detector sees about the cut ends of a piece is the cut."""

NEXT_EVENT_S = 0.1
"""Treated stretches that lie closer together are one pop, or one sibilant."""

_FRAME_S = 0.4
"""A frame of rumble: some periods of 10 Hz."""


@dataclass(frozen=True)
class Evidence:
    """What was measured.

    Attributes
    ----------
    report : RecordingReport
        What ``unmuffle info`` tells, of the parts that were heard.
    snr_db : float or None
        Speech over noise, when rumble and hum are taken off: they have stages of their own.
    clipped_share : float
        Share of the samples in clipped runs, 0 to 1.
    clicks, pops : int
        How many the stages of those names would treat.
    sibilance_db, pops_db : float
        Energy that de-esser and de-plosive would take off, over all energy.
    hum_hz, hum_dbfs : float or None
        Fundamental and level of the mains hum in the channel that has most of it; None where there is none.
    rumble_db : float or None
        What steadily lies below 45 Hz, over the voice's band; None for silence.
    srmr : float or None
        See ``unmuffle.measure.srmr``; the mean over the pieces. None where nothing could be measured.
    reverberation_s : float or None
        Estimated reverberation time of the room.
    speech_share : float
        Share of the time with voiced sound over the floor, by ``SpeechGate``, or with speech by the network.
    """

    report: RecordingReport
    snr_db: float | None
    clipped_share: float
    clicks: int
    pops: int
    pops_db: float
    sibilance_db: float
    hum_hz: float | None
    hum_dbfs: float | None
    rumble_db: float | None
    srmr: float | None
    reverberation_s: float | None
    speech_share: float

    @property
    def heard_s(self) -> float:
        """How much was listened to."""
        return self.report.seconds


class EvidenceCollector:
    """Takes the pieces of a recording in and measures them.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._analyzer = RecordingAnalyzer(sample_rate, channels)
        self._listener, self.warnings = _listener(sample_rate, channels)
        self._rate = self._analyzer.sample_rate
        self._samples = 0
        self._clipped = 0
        self._clicks = self._pops = 0
        self._energy = self._pop_energy = self._sibilant_energy = 0.0
        self._hums: list[tuple[float, float, float]] = []
        self._rumble: list[npt.NDArray[np.float64]] = []
        self._srmr: list[float] = []
        self._rooms: list[float] = []
        self._presence: list[FloatArray] = []

    def take(self, piece: FloatArray) -> None:
        """Take the next piece [channels, samples] in; what is not finite counts as silence."""
        self._analyzer.process(piece)
        piece = np.clip(np.where(np.isfinite(piece), piece, np.float32(0.0)), -LOUDEST, LOUDEST)
        self._samples += piece.size
        self._clipped += sum(run.stop - run.start for run in find_clipped(piece, self._rate))
        edge = round(EDGE_S * self._rate)
        self._clicks += sum(edge < at.start < piece.shape[1] - edge for at in find_clicks(piece, self._rate))
        self._energy += _energy(piece)
        popless = piece - deplosive(piece, self._rate, link_channels=True)
        self._pops += _events(popless, self._rate)
        self._pop_energy += _energy(popless)
        self._sibilant_energy += _energy(piece - deess(piece, self._rate, link_channels=True))
        found = [hum for hum in find_hum(piece, self._rate) if hum.fundamental_hz is not None]
        self._hums += [(hum.level_dbfs or 0.0, hum.fundamental_hz or 0.0, hum.seconds) for hum in found]
        steady = high_pass(piece, self._rate)
        steady = dehum(steady, self._rate, look_ahead_s=2.0) if found else steady
        self._listener.process(steady)
        self._rumble.append(_band_powers(piece, self._rate))
        self._hear_room(steady)
        # Of what is silent, or shorter than one window, there is none.
        with suppress(InvalidAudioError):
            self._srmr.append(srmr(piece, self._rate))

    def _hear_room(self, piece: FloatArray) -> None:
        grid = grid_for(self._rate)
        room, gate = ReverberationTime(grid, len(piece)), SpeechGate(grid, len(piece))
        stft = StftStream(grid, len(piece))
        for spectra in stft.analyze(piece):
            power = np.square(np.abs(spectra))
            self._presence.append(gate.presence(power)[1].max(axis=1))
            for frame in power:
                room.update(frame)
        self._rooms.append(float(np.median(room.seconds())))

    def evidence(self) -> Evidence:
        """Return what is known of all that was heard."""
        report, heard = self._analyzer.report(), self._listener
        level_dbfs, hum_hz, _ = max(self._hums, default=(None, None, None))
        presence = np.concatenate(self._presence) if self._presence else np.zeros(1)
        return Evidence(
            report=report,
            snr_db=heard.snr.db if isinstance(heard, SpeechMeter) else heard.result().db,
            clipped_share=self._clipped / max(self._samples, 1),
            clicks=self._clicks,
            pops=self._pops,
            pops_db=_over_db(self._pop_energy, self._energy),
            sibilance_db=_over_db(self._sibilant_energy, self._energy),
            hum_hz=hum_hz,
            hum_dbfs=level_dbfs,
            rumble_db=_rumble_db(np.concatenate(self._rumble, axis=1)) if self._rumble else None,
            srmr=float(np.mean(self._srmr)) if self._srmr else None,
            reverberation_s=float(np.median(self._rooms)) if self._rooms else None,
            speech_share=float((presence > SPEECH_PRESENCE).mean()),
        )


def _listener(sample_rate: int, channels: int) -> tuple[SpeechMeter | SnrMeter, tuple[str, ...]]:
    """Return what tells the SNR: the default network where there is one that runs, and a warning if it does not."""
    try:
        model = default_model()
        if model is not None:
            return SpeechMeter(sample_rate, channels, model=model.name), ()
    except ModelError as error:
        return SnrMeter(sample_rate, channels), (f"{error}; the SNR is estimated without it",)
    return SnrMeter(sample_rate, channels), ()


def _energy(samples: FloatArray) -> float:
    return float(np.square(samples, dtype=np.float64).sum())


def _over_db(part: float, whole: float) -> float:
    return float(10.0 * np.log10(max(part, 1e-12 * whole, 1e-30) / max(whole, 1e-30)))


def _events(removed: FloatArray, sample_rate: int) -> int:
    """Return how many separate stretches a stage has taken something from."""
    changed = np.flatnonzero(removed.any(axis=0))
    return int(changed.size > 0) + int((np.diff(changed) > NEXT_EVENT_S * sample_rate).sum())


def _band_powers(piece: FloatArray, sample_rate: int) -> npt.NDArray[np.float64]:
    """Return power below the voice and in its band, frame by frame [2, frames]."""
    from scipy.signal import butter, sosfilt

    mono = piece.astype(np.float64)
    low = sosfilt(butter(4, (5.0, RUMBLE_HZ), "bandpass", fs=sample_rate, output="sos"), mono, axis=1)
    voice = sosfilt(butter(2, VOICE_HZ, "bandpass", fs=sample_rate, output="sos"), mono, axis=1)
    frame = round(_FRAME_S * sample_rate)
    frames = mono.shape[1] // frame
    return np.stack(
        [
            np.square(band[:, : frames * frame]).reshape(len(piece), frames, frame).mean(axis=(0, 2))
            for band in (low, voice)
        ]
    )


def _rumble_db(powers: npt.NDArray[np.float64]) -> float | None:
    low, voice = powers
    if not voice.size or voice.mean() <= 1e-20:
        return None
    return float(10.0 * np.log10(max(np.median(low), 1e-20) / voice.mean()))
