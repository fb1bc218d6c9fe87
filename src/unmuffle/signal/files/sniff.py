"""What a file is, told by its first bytes and never by its name."""

from __future__ import annotations

HEAD_BYTES = 4096

_SNDFILE_MAGIC = (b"caff", b".snd", b"dns.", b"NIST_1A", b"Creative Voice File", b"riff\x2e\x91\xcf\x11")
_OTHER_THINGS = (
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"BM", "a picture"),
    (b"II*\x00", "a picture"),
    (b"MM\x00*", "a picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"7z\xbc\xaf", "a compressed archive"),
    (b"Rar!", "a compressed archive"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3", "a database"),
    # Lists of other addresses: they are followed by decoders, so they are kept away from them.
    (b"#EXTM3U", "a playlist"),
    (b"ffconcat", "a playlist"),
)
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1b")


def kind_of(head: bytes) -> str:
    """Who should read what begins with these bytes: ``"wav"``, ``"sndfile"`` or, also for the unknown, ``"av"``."""
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(_SNDFILE_MAGIC) or (head[:4] == b"FORM" and head[8:11] == b"AIF"):
        return "sndfile"
    return "av"


def not_audio_because(head: bytes) -> str | None:
    """Name what bytes look like that are surely not audio, such as ``"text"`` or ``"a picture"``; else None."""
    if kind_of(head) != "av":
        return None
    for magic, thing in _OTHER_THINGS:
        if head.startswith(magic):
            return thing
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a picture"
    if not any(head):
        return "nothing but zero bytes"
    return "text" if _is_text(head) else None


def container_of(format_name: str, head: bytes) -> str:
    """Usual extension of a container from the demuxer's name (which may list several) and the first bytes."""
    names = format_name.split(",")
    if "mov" in names:
        return "mov" if head[8:12] == b"qt  " else "m4a" if head[8:11] == b"M4A" else "mp4"
    if "matroska" in names:
        return "webm" if b"webm" in head[:64] else "mkv"
    return {"mpegts": "ts", "asf": "wma", "mpeg": "mpg", "aiff": "aiff"}.get(names[0], names[0])


def _is_text(head: bytes) -> bool:
    if any(byte < 32 and byte not in _TEXT_CONTROLS for byte in head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character may be cut at the end of what was looked at.
        return error.start > len(head) - 4
    return True
