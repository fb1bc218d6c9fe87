"""Makes ``docs/benchmarks.md`` of the figures."""

from __future__ import annotations

from typing import Any

from bench import cache, corpora, corpora_journal, corpora_killed, corpora_words
from bench.arrays_page import arrays_section
from bench.pool_page import pool_section
from bench.repair_page import repair_section
from bench.serve_page import serve_section, soak_section
from bench.tables import table

HEAD = """# Benchmarks

Every figure on this page was measured and written by one command in the repository, `python -m bench` (with
`--pairs FOLDER` for the quality of enhancement and of repair); none was typed by hand. The figures of the other pages
are drawn by `python -m bench.figures`.
"""


def render(results: dict[str, Any]) -> str:
    """Return the page, with a section for each part there are figures of."""
    sections = [
        ("quality", "Quality", _quality),
        ("repair", "Repair and level", repair_section),
        ("arrays", "Microphone arrays", arrays_section),
        ("speed", "Speed and memory", _speed),
        ("network", "The network's cost", _network),
        ("pool", "The stream pool", pool_section),
        ("long_file", "A long file", _long_file),
        ("corpora", "Corpora", corpora.section),
        ("corpora_journal", "The journal of a corpus", corpora_journal.section),
        ("corpora_killed", "Corpora whose runs are killed", corpora_killed.section),
        ("corpora_words", "Corpora and recognition", corpora_words.section),
        ("cache", "Results from the cache", cache.section),
        ("latency", "Latency", _latency),
        ("serve", "Live streams on a server", serve_section),
        ("serve_soak", "A server for half an hour", soak_section),
        ("noise_tracking", "Following the noise", _noise_tracking),
        ("blind_snr", "Telling the SNR without a reference", _blind_snr),
        ("evaluation", "The cost of an evaluation", _evaluation),
        ("training", "Speed of training", _training),
    ]
    parts = [HEAD]
    for name, title, write in sections:
        if name in results:
            figures = results[name]
            parts.append(f"## {title}\n\n{write(figures)}\n\n*{figures['date']}, {figures['machine']}*\n")
    return "\n".join(parts)


_QUALITY_COLUMNS = {
    "pesq_wideband": ("PESQ", ".3f"),
    "estoi": ("ESTOI", ".3f"),
    "si_sdr_db": ("SI-SDR dB", ".2f"),
    "dnsmos_ovrl": ("DNSMOS OVRL", ".2f"),
    "artefact_score": ("artefacts", ".2f"),
    "transparency_si_sdr_db": ("clean: SI-SDR dB", ".1f"),
    "transparency_pesq": ("clean: PESQ", ".2f"),
    "real_time_factor": ("RTF", ".4f"),
}


def _quality(figures: dict[str, Any]) -> str:
    explained = (
        "Means over noisy speech of -5 to 15 dB SNR, some of it reverberant, with recorded noises of all kinds. PESQ: "
        "P.862.2 wideband (`pesq`), at 16 kHz; ESTOI: `pystoi`; DNSMOS: P.835, `speechmos`. SI-SDR: means removed, at "
        "the clip's own rate. Artefacts: the [artefact score](damage.md), 0 is untouched. Clean: what becomes of the "
        "references themselves. RTF: CPU seconds of one thread for a second of audio, measured while all cores were "
        "busy. `unmuffle-s` is the network that ships; `conv_tasnet_small` (causal) and `mask_blstm_small` "
        "(causal) are classic ones, trained on the same recordings, at 16 kHz: above 8 kHz they leave nothing. The "
        "constants of `om_lsa` were chosen on other mixes and on these; those of the other methods follow "
        "the papers, fitted to our hop. Peers as they ship: noisereduce, and RNNoise by `pyrnnoise`."
    )
    text = [explained]
    head = ("method", *(title for title, _ in _QUALITY_COLUMNS.values()))
    for rate, part in figures["rates"].items():
        rows = [
            (name, *(format(row[key], form) if key in row else "" for key, (_, form) in _QUALITY_COLUMNS.items()))
            for name, row in part["methods"].items()
        ]
        text.append(f"**{int(rate) // 1000} kHz, {part['clips']} clips**")
        text.append(table(head, rows))
    return "\n\n".join(text)


def _speed(figures: dict[str, Any]) -> str:
    peer = min(row["whole"] for name, row in figures["methods"].items() if name.startswith("noisereduce"))
    rows = [
        (
            name,
            f"{row['whole']:.4f}",
            f"{row['whole'] / peer:.2f}",
            f"{row['whole_mb']:.0f}",
            f"{row['blocks']:.4f}" if "blocks" in row else "cannot",
            f"{row['blocks_mb']:.0f}" if "blocks" in row else "",
        )
        for name, row in figures["methods"].items()
    ]
    head = ("method", "RTF, whole", "x fastest noisereduce", "MB", "RTF, 10 ms blocks", "MB")
    result_mb = figures["seconds"] * figures["rate_hz"] * 4 / 1e6
    return (
        f"{figures['seconds']} s of {figures['rate_hz'] // 1000} kHz mono, one thread, best of {figures['rounds']}. "
        "RTF: seconds taken for a second of audio. MB: by how much the peak of memory rises over that of a process "
        "that holds the audio and has enhanced a second of it; of the whole, the result itself takes "
        f"{result_mb:.0f} MB.\n\n{table(head, rows)}"
    )


def _network(figures: dict[str, Any]) -> str:
    ways = {
        "frame by frame, RTF": ("frame_rtf", ".4f", "0.012 at most"),
        f"{figures['channels']} channels in a call, RTF of each": ("channel_rtf", ".4f", "0.004 at most"),
        "whole file, x real time": ("whole_speed", ".0f", "200 at least"),
        "cold start, s": ("cold_s", ".2f", "1.5 at most"),
    }
    peers = ("rnnoise", "noisereduce", "noisereduce-stationary")
    rows = [
        (
            way,
            *(
                format(figures[key][name], form) if name in figures[key] else "" if key == "cold_s" else "cannot"
                for name in ("network", *peers)
            ),
            wanted,
        )
        for way, (key, form, wanted) in ways.items()
    ]
    return (
        f"`{figures['model']}` on {figures['rate_hz'] // 1000} kHz mono, one thread, best of {figures['rounds']}, "
        "blocks of 16 ms in and out through `open_stream` (RNNoise: its own 10 ms, a call a channel, straight into its "
        f"library). Whole: an array of {figures['seconds']} s. Cold start: the wall time of `unmuffle enhance` on a "
        f"file of {figures['cold_seconds']} s, the start of Python included; of the peers, that of a script that "
        "imports, reads, enhances and writes.\n\n" + table(("", figures["model"], *peers, "wanted"), rows)
    )


def _long_file(figures: dict[str, Any]) -> str:
    rows = [
        (name, f"{row['mb']:.0f}", f"{row['rtf']:.4f}", "yes" if row["same_length"] else "no")
        for name, row in figures["methods"].items()
    ]
    return (
        f"`unmuffle enhance` on {figures['hours']:g} hours of stereo at {figures['rate_hz'] // 1000} kHz, WAV, 16 bit, "
        "decoding and encoding included, one thread. MB: peak memory of the whole process.\n\n"
        + table(("method", "MB", "RTF", "length kept"), rows)
    )


def _latency(figures: dict[str, Any]) -> str:
    rows = [
        (
            f"{row['rate_hz']}",
            f"{row['told']}",
            f"{row['least']} to {row['most']}",
            f"{1e3 * row['told'] / row['rate_hz']:.2f}",
        )
        for row in figures["rates"]
    ]
    return (
        "How far into the future an output sample looks: as `latency` tells, and as measured by perturbing single "
        "input samples, least and most of all methods.\n\n"
        + table(("rate, Hz", "told, samples", "measured, samples", "told, ms"), rows)
    )


def _noise_tracking(figures: dict[str, Any]) -> str:
    def time(seconds: float) -> str:
        return f"{seconds:.2f}" if seconds < figures["longest_s"] else "never"

    rows = [
        (
            f"{row['tracker']}, {row['rate_hz'] // 1000} kHz, {row['noise']}",
            f"{row['bias_db']:+.2f}",
            f"{row['spread_db']:.2f}",
            time(row["rise_s"]),
            time(row["fall_s"]),
            f"{row['voice_db']:+.2f}",
        )
        for row in figures["rows"]
    ]
    return (
        "Noise estimators against noise whose spectrum is known: bias and spread of the estimate once settled; time to "
        "come within 3 dB after the noise rose or fell by 10 dB; by how much a voice 10 dB above the noise raises the "
        "estimate.\n\n" + table(("estimator", "bias dB", "spread dB", "10 dB up, s", "down, s", "voice adds dB"), rows)
    )


def _blind_snr(figures: dict[str, Any]) -> str:
    def row(name: str, rate: str, found: dict[str, float]) -> tuple[str, ...]:
        return (
            f"{name}{int(rate) // 1000} kHz, {found['clips']} clips",
            f"{found['mean_error_db']:.1f}",
            f"{found['median_error_db']:.1f}",
            f"{found['bias_db']:+.1f}",
        )

    network = figures.get("network", {})
    rows = [row("without a network, " if network else "", *entry) for entry in figures["rates"].items()]
    rows += [row(f"{figures['model']}, ", *entry) for entry in network.items()]
    return (
        "The estimate of `unmuffle info`, on the noisy clips of the table above, against the SNR they were mixed at. "
        "Its evidence was chosen with these clips in view, its constants were fitted to other mixes."
        + (" The network's own estimate was fitted to none of them." if network else "")
        + "\n\n"
        + table(("clips", "mean error dB", "median error dB", "bias dB"), rows)
    )


def _evaluation(figures: dict[str, Any]) -> str:
    return (
        f"{figures['clips']:,} clips of {figures['seconds']:g} s at {figures['rate_hz'] // 1000} kHz, as they came and "
        f"after `{figures['method']}`, both measured by PESQ, STOI and SI-SDR, and the second for all damage: "
        f"{figures['cpu_s_a_clip']:.2f} s of CPU a clip, enhancing included; {figures['failed']} failed. Memory of "
        f"the largest worker: {figures['early_mb']:.0f} MB after a fifth of the clips, {figures['late_mb']:.0f} MB at "
        "the end."
    )


def _training(figures: dict[str, Any]) -> str:
    runs = [
        (
            f"{row['processes']}, {'bfloat16' if row['bfloat16'] else 'float32'}, {row['rate_hz'] // 1000} kHz",
            f"{row['real_time']:.0f}",
        )
        for row in figures["runs"]
    ]
    rates = list(figures["mixing_ms"])
    mixing = [
        (effect, *(f"{figures['mixing_ms'][rate][effect]:.1f}" for rate in rates))
        for effect in figures["mixing_ms"][rates[0]]
    ]
    text = (
        f"`unmuffle train run` with the flagship, mixing included, one thread a process, batches of 8 clips of 3 s a "
        f"process, memory from {figures['allocator']} allocator. x real time: seconds of audio trained on in a second."
    )
    cost = f"Mixing an item of {figures['item_s']:g} s on one core, in ms; shares of 1, or of 0.8 of the noises."
    return "\n\n".join(
        [
            text,
            table(("processes, precision, rate", "x real time"), runs),
            cost,
            table(("mixing", *(f"{int(rate) // 1000} kHz, ms" for rate in rates)), mixing),
        ]
    )
