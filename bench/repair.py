"""What repair and level make of clean speech that was spoilt in known ways, beside ffmpeg and nara_wpe as they ship.

Each kind of damage in a process of its own, on one thread; real-time factors are CPU seconds, the best of two runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from bench.one_thread import call
from bench.repair_measures import (
    change_elsewhere_db,
    line_reductions_db,
    recovery,
    repaired,
    rise_in_pause_db,
    sdr_db,
    si_sdr_db,
    true_peak_db,
)
from bench.repair_peers import (
    Treat,
    ffmpeg,
    ffmpeg_has,
    has_nara_wpe,
    loudnorm,
    nara_offline,
    nara_online,
    timed,
    versions,
)
from bench.repair_signals import (
    HUM_LINES,
    Programme,
    clipped,
    hum,
    in_a_room,
    quieter_mains_hz,
    read_programmes,
    uneven,
    with_clicks,
    with_losses,
)

CLIPS = 24
RT60S = (0.4, 0.6, 0.9)
LOSSES_S = (0.005, 0.01, 0.02)
SOFT_LUFS, TARGET_LUFS, CEILING_DBTP = -45.0, -16.0, -1.0
MOST_ROOMS = 3

Row: TypeAlias = dict[str, Any]
"""Damage, method, and figures, of one programme."""


def measure(folder: Path, clips: int = CLIPS) -> dict[str, Any]:
    """Return the mean figures of every kind of damage and method, on so many clips of the folder."""
    parts = {name: call("bench.repair", "measured", name, str(folder), clips) for name in KINDS}
    about = {"clips": clips, "rooms": MOST_ROOMS, "peers": ", ".join(versions())}
    return about | {"seconds": parts["clipped"]["seconds"]} | {name: part["rows"] for name, part in parts.items()}


def measured(kind: str, folder: str, clips: int) -> dict[str, Any]:
    """Measure one kind of damage."""
    programmes = read_programmes(Path(folder), clips)
    rows = [row for seed, programme in enumerate(programmes) for row in KINDS[kind](programme, seed)]
    return {"rows": _summary(rows), "seconds": sum(programme.seconds for programme in programmes)}


def _summary(rows: list[Row]) -> list[Row]:
    """Return the rows of each damage and method as one: the mean of all, the largest RTF of all rates."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["damage"], row["method"]), []).append(row)
    return [
        {"damage": damage, "method": method, "programmes": len(group), **_merged(group)}
        for (damage, method), group in found.items()
    ]


def _merged(group: list[Row]) -> Row:
    merged: Row = {}
    for key in group[0].keys() - {"damage", "method"}:
        values = [row[key] for row in group]
        of = {"least": min, "most": max}.get(key.split("_")[0], np.mean)
        merged[key] = float(of(values))
    return dict(sorted(merged.items()))


def _clipped(programme: Programme, _: int) -> Iterator[Row]:
    from unmuffle.repair import declip

    spoilt = clipped(programme.audio)
    methods: dict[str, Treat] = {"declip": lambda audio, rate: declip(audio, rate)}
    if ffmpeg_has("adeclip"):
        methods["ffmpeg adeclip"] = ffmpeg("adeclip")
    for name, treat in methods.items():
        treated, rtf = timed(treat, spoilt, programme.rate)
        gain_db = sdr_db(programme.audio, treated) - sdr_db(programme.audio, spoilt)
        yield {
            "damage": "clipped to 10 dB SDR",
            "method": name,
            "gain_db": gain_db,
            "least_gain_db": gain_db,
            **_rtf(rtf, programme),
        }


def _clicked(programme: Programme, seed: int) -> Iterator[Row]:
    from unmuffle.repair import declick

    random = np.random.default_rng(seed)
    damages = {"3 clicks a second": with_clicks(programme, random)} | {
        f"packets of {1e3 * loss_s:g} ms lost": with_losses(programme, random, loss_s) for loss_s in LOSSES_S
    }
    methods: dict[str, Treat] = {"declick": lambda audio, rate: declick(audio, rate)}
    if ffmpeg_has("adeclick"):
        methods["ffmpeg adeclick"] = ffmpeg("adeclick")
    for damage, (spoilt, places) in damages.items():
        for name, treat in methods.items():
            treated, rtf = timed(treat, spoilt, programme.rate)
            recall, changed = repaired(programme.audio, spoilt, treated, places)
            yield {
                "damage": damage,
                "method": name,
                "gain_db": sdr_db(programme.audio, treated) - sdr_db(programme.audio, spoilt),
                "recall": recall,
                "changed": changed,
                **_rtf(rtf, programme),
            }


def _hummed(programme: Programme, seed: int) -> Iterator[Row]:
    from unmuffle.repair import dehum

    nominal_hz = quieter_mains_hz(programme.audio, programme.rate)
    lines, phase = hum(programme, np.random.default_rng(seed), nominal_hz)
    methods: dict[str, Treat] = {
        "dehum, live": lambda audio, rate: dehum(audio, rate, look_ahead_s=0.0),
        "dehum": lambda audio, rate: dehum(audio, rate),
    }
    if ffmpeg_has("bandreject"):
        notches = [f"bandreject=f={number * nominal_hz:g}:width_type=h:w=2" for number in range(1, HUM_LINES + 1)]
        methods["ffmpeg bandreject, 2 Hz at each line"] = ffmpeg(",".join(notches))
    for name, treat in methods.items():
        treated, rtf = timed(treat, programme.audio + lines.sum(axis=0), programme.rate)
        fell_db, below_db = line_reductions_db(programme, treated, lines, phase)
        change_db = change_elsewhere_db(programme, treated, phase)
        yield {
            "damage": "hum",
            "method": name,
            "reduction_db": float(fell_db.mean()),
            "least_reduction_db": float(fell_db.min()),
            "error_below_db": float(below_db.mean()),
            "change_db": change_db,
            "most_change_db": change_db,
            **_rtf(rtf, programme),
        }


def _reverberant(programme: Programme, seed: int) -> Iterator[Row]:
    from unmuffle.measure import srmr
    from unmuffle.repair import dereverb

    if seed >= MOST_ROOMS or programme.rate != 16_000:
        return

    def ours(method: str) -> Treat:
        return lambda audio, rate: dereverb(audio, rate, method)

    methods = {"wpe": ours("wpe"), "wpe_offline": ours("wpe_offline"), "late": ours("late")}
    if has_nara_wpe():
        methods |= {"nara_wpe, online": nara_online, "nara_wpe, offline": nara_offline}
    rooms = {f"RT60 {rt60_s:g} s": in_a_room(programme, np.random.default_rng(seed), rt60_s) for rt60_s in RT60S}
    # No microphone gives digital silence, in which the recursion of a peer overflows.
    hiss = 1e-4 * np.random.default_rng(seed).standard_normal(len(programme.audio))
    for damage, (speech, wanted) in (rooms | {"dry": (programme.audio, programme.audio)}).items():
        audio = speech + hiss
        for name, treat in methods.items():
            treated, rtf = timed(treat, audio, programme.rate)
            row = {"damage": damage, "method": name, "si_sdr_db": si_sdr_db(wanted, treated)}
            row["srmr_gain"] = srmr(treated, programme.rate) / srmr(audio, programme.rate) - 1.0
            row["si_sdr_gain_db"] = 0.0 if damage == "dry" else row["si_sdr_db"] - si_sdr_db(wanted, audio)
            yield row | _rtf(rtf, programme)


def _quiet(programme: Programme, _: int) -> Iterator[Row]:
    from unmuffle.level import integrated_loudness, normalize_loudness

    gain_db = SOFT_LUFS - integrated_loudness(programme.audio, programme.rate)
    soft = programme.audio * 10.0 ** (gain_db / 20.0)
    methods: dict[str, Treat] = {
        "normalize": lambda audio, rate: normalize_loudness(audio, rate, TARGET_LUFS, CEILING_DBTP)
    }
    if ffmpeg_has("loudnorm"):
        methods["ffmpeg loudnorm, two passes"] = loudnorm(TARGET_LUFS, CEILING_DBTP, 2)
        methods["ffmpeg loudnorm, one pass"] = loudnorm(TARGET_LUFS, CEILING_DBTP, 1)
    for name, treat in methods.items():
        treated, rtf = timed(treat, soft, programme.rate)
        error_lu = abs(integrated_loudness(treated, programme.rate) - TARGET_LUFS)
        yield {
            "damage": "quiet",
            "method": name,
            "error_lu": error_lu,
            "most_error_lu": error_lu,
            "most_true_peak_dbtp": true_peak_db(treated),
            **_rtf(rtf, programme),
        }


def _uneven(programme: Programme, seed: int) -> Iterator[Row]:
    from unmuffle.level import level

    audio, drops, pause = uneven(programme, np.random.default_rng(seed))
    methods: dict[str, Treat] = {"level": lambda audio, rate: level(audio, rate)}
    for peer in ("dynaudnorm", "speechnorm", "speechnorm=e=12.5:r=0.0005"):
        if ffmpeg_has(peer.split("=")[0]):
            methods[f"ffmpeg {peer}"] = ffmpeg(peer)
    for name, treat in methods.items():
        treated, rtf = timed(treat, audio, programme.rate)
        back = [recovery(audio, treated, drop, programme.rate) for drop in drops]
        # Who never comes back does not before the clip ends.
        ends_s = [(drop.after.stop - drop.after.start) / programme.rate for drop in drops]
        back_s = [end_s if found_s is None else found_s for (found_s, _), end_s in zip(back, ends_s, strict=True)]
        yield {
            "damage": "uneven",
            "method": name,
            "recovery_s": float(np.mean(back_s)),
            "most_recovery_s": max(back_s),
            "back": float(np.mean([found_s is not None for found_s, _ in back])),
            "missing_db": float(np.mean([missing_db for _, missing_db in back])),
            "rise_db": (rise_db := rise_in_pause_db(audio, treated, pause, programme.rate)),
            "most_rise_db": rise_db,
            **_rtf(rtf, programme),
        }


def _rtf(rtf: float, programme: Programme) -> dict[str, float]:
    return {"rtf": rtf, "most_rtf": rtf, "most_rate_hz": float(programme.rate)}


KINDS: dict[str, Callable[[Programme, int], Iterator[Row]]] = {
    "clipped": _clipped,
    "clicked": _clicked,
    "hummed": _hummed,
    "reverberant": _reverberant,
    "quiet": _quiet,
    "uneven": _uneven,
}
