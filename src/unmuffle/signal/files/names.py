"""Which file names belong to audio or video files."""

from __future__ import annotations

from pathlib import PurePath

AUDIO_SUFFIXES = frozenset(
    {
        ".wav",
        ".wave",
        ".bwf",
        ".rf64",
        ".w64",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".mp3",
        ".mp2",
        ".m4a",
        ".m4b",
        ".aac",
        ".ac3",
        ".eac3",
        ".aif",
        ".aiff",
        ".aifc",
        ".caf",
        ".au",
        ".snd",
        ".wma",
        ".amr",
        ".mka",
        ".wv",
        ".tta",
        ".voc",
        ".ape",
        ".spx",
    }
)
VIDEO_SUFFIXES = frozenset(
    {
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".ts",
        ".m2ts",
        ".mts",
        ".flv",
        ".mpg",
        ".mpeg",
        ".3gp",
        ".3g2",
        ".wmv",
        ".asf",
        ".ogv",
    }
)
MEDIA_SUFFIXES = AUDIO_SUFFIXES | VIDEO_SUFFIXES


def is_media_name(path: str | PurePath) -> bool:
    """Whether the name looks like an audio or video file's: a known extension, and not a hidden file.

    Examples
    --------
    >>> is_media_name("talks/Monday.WAV"), is_media_name("notes.txt"), is_media_name(".cache.wav")
    (True, False, False)
    """
    name = PurePath(path)
    return name.suffix.lower() in MEDIA_SUFFIXES and not name.name.startswith(".")
