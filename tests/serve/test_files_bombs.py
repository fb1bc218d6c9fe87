"""Small files that unpack to, or claim, far more than there is: they cost neither memory nor time."""

from __future__ import annotations

import io
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import soundfile
from files_server import FileServer, children, running, silent_flac

LARGEST_BYTES = 400 * 2**20
LONGEST_S = 10.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with running(tmp_path_factory.mktemp("serve"), decode_seconds_limit=5.0) as found:
        yield found


def flac_head() -> tuple[bytes, bytes]:
    """Return the beginning of a file that more blocks follow, and its audio."""
    data = bytearray(silent_flac(1.0))
    data[4] &= 0x7F
    return bytes(data[:42]), bytes(data[42:])


def large_blocks() -> bytes:
    head, rest = flac_head()
    padding = bytes((6,)) + (2**24 - 1).to_bytes(3, "big") + bytes(2**24 - 1)
    return head + 4 * padding + rest


def claimed_picture() -> bytes:
    return flac_head()[0] + b"\x06\xff\xff\xff" + struct.pack(">II", 3, 0xFFFFFFFF)


def claimed_tag() -> bytes:
    return b"ID3\x04\0\0\x7f\x7f\x7f\x7fTIT2\x7f\x7f\x7f\x70\0\0" + bytes(1000)


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def many_samples() -> bytes:
    """An MP4 of 1.5 kB whose index tells of four thousand million packets."""
    count = 0xFFFFFFF0
    entry = bytes(6) + struct.pack(">H8xHHHHI", 1, 2, 16, 0, 0, 48_000 << 16)
    table = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), box(b"mp4a", entry)),
        box(b"stts", struct.pack(">IIII", 0, 1, count, 1024)),
        box(b"stsz", struct.pack(">III", 0, 1, count)),
        box(b"stsc", struct.pack(">IIIII", 0, 1, 1, count, 1)),
        box(b"stco", struct.pack(">III", 0, 1, 100)),
    )
    media = box(
        b"mdia",
        box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 48_000, 0xFFFFFFFF, 0, 0)),
        box(b"hdlr", struct.pack(">II4s", 0, 0, b"soun"), bytes(13)),
        box(b"minf", box(b"smhd", bytes(8)), table),
    )
    track = box(b"trak", box(b"tkhd", struct.pack(">IIIII", 7, 0, 0, 1, 0), bytes(64)), media)
    movie = box(b"moov", box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 0xFFFFFFFF), bytes(80)), track)
    return box(b"ftyp", b"isom\0\0\2\0isom") + movie + box(b"mdat", bytes(1000))


def element(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return name + ((1 << 56) | len(body)).to_bytes(8, "big") + body


def matroska(tracks: bytes, clusters: bytes = b"") -> bytes:
    scale = element(b"\x15\x49\xa9\x66", element(b"\x2a\xd7\xb1", b"\x0f\x42\x40"))
    segment = element(b"\x18\x53\x80\x67", scale, element(b"\x16\x54\xae\x6b", tracks), clusters)
    return element(b"\x1a\x45\xdf\xa3", element(b"\x42\x82", b"matroska")) + segment


def track(number: int, *more: bytes) -> bytes:
    audio = element(b"\xe1", element(b"\xb5", struct.pack(">d", 16_000.0)), element(b"\x62\x64", b"\x10"))
    names = (element(name, struct.pack(">H", number)) for name in (b"\xd7", b"\x73\xc5"))
    kind = (element(b"\x83", b"\2"), element(b"\x86", b"A_PCM/INT/LIT"))
    return element(b"\xae", *names, *kind, audio, *more)


def packed_packets() -> bytes:
    """A Matroska file of 0.5 MB, each packet of which unpacks to 100 MB."""
    packed = element(b"\x62\x40", *(element(name, b"\0") for name in (b"\x50\x31", b"\x50\x33")), method())
    zeros = zlib.compress(bytes(100_000_000), 9)
    cluster = element(b"\x1f\x43\xb6\x75", element(b"\xe7", b"\0"), element(b"\xa3", b"\x81\0\0\x80", zeros))
    return matroska(track(1, element(b"\x6d\x80", packed)), 5 * cluster)


def method() -> bytes:
    return element(b"\x50\x34", element(b"\x42\x54", b"\0"))


def many_tracks() -> bytes:
    return matroska(b"".join(track(number) for number in range(1, 20_000)))


def many_streams() -> bytes:
    """Streams one after the other, as Ogg allows."""
    stored = io.BytesIO()
    soundfile.write(stored, np.zeros(100), 8000, format="OGG", subtype="VORBIS")
    return 1000 * stored.getvalue()


@pytest.mark.parametrize(
    "make", [large_blocks, claimed_picture, claimed_tag, many_samples, packed_packets, many_tracks, many_streams]
)
def test_bombs_cost_little(server, make: Callable[[], bytes]):
    body = make()
    for path in ("/v1/enhance?method=wiener", "/v1/enhance?method=wiener&format=original", "/v1/analyze"):
        begun_s = time.monotonic()
        answer = server.client.post(path, content=body)
        assert time.monotonic() - begun_s < LONGEST_S
        assert answer.status_code in (200, 413, 415, 422), answer.text
        assert answer.status_code == 200 or answer.json()["error"]["message"]
        if sys.platform == "linux":
            assert all(child.peak_bytes < LARGEST_BYTES for child in children())
    server.wait_until_clean()
    assert server.client.post("/v1/enhance", content=silent_flac(1.0)).status_code == 200
