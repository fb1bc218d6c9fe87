"""Files that name other files or addresses: no decoder follows them, neither on this machine nor into the network.

FFmpeg itself would: each way in is first tried on it as it comes, so that the tests cannot pass for want of an attack.
"""

from __future__ import annotations

import contextlib
import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from files_server import FileServer, running

from unmuffle.errors import AudioFileError
from unmuffle.signal.files import open_reader
from unmuffle.signal.files.av_streams import open_input
from unmuffle.signal.files.decoder import CannotDecodeError
from unmuffle.signal.files.source import open_source

RATE = 16_000
# A tag before the text, which FFmpeg skips when it guesses what a file is, hides it from who looks at the first bytes.
TAG = b"ID3\x03\0\0\0\0\0\x10" + bytes(16)
MANIFEST = (
    # Not UTF-8, and so no text at first sight.
    '<?xml version="1.0" encoding="ISO-8859-1"?><!-- \xff --><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
    'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
)


class Hits(http.server.BaseHTTPRequestHandler):
    """Notes whoever asks for anything."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = self.server.secret.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of a tone, which must never come out."""
    folder = tmp_path_factory.mktemp("secret")
    tone = 0.5 * np.sin(2.0 * np.pi * 440.0 * np.arange(RATE) / RATE)
    soundfile.write(folder / "secret.wav", tone, RATE)
    if shutil.which("ffmpeg"):
        command = ["ffmpeg", "-v", "error", "-i", folder / "secret.wav", folder / "secret.ts"]
        subprocess.run(command, check=True)
    return folder / "secret.wav"


@pytest.fixture(scope="module")
def elsewhere(secret) -> Iterator[http.server.ThreadingHTTPServer]:
    """A host of the network."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hits)
    server.asked, server.secret = [], secret
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    with running(tmp_path_factory.mktemp("serve")) as found:
        yield found


def attacks(secret: Path, port: int) -> dict[str, bytes]:
    """Bodies that name what is not theirs, by every form of address that FFmpeg knows."""
    found: dict[str, bytes] = {}
    for target in (secret, secret.with_suffix(".ts"), Path("/etc/passwd")):
        for form in (
            f"{target}",
            f"file://{target}",
            f"file:{target}",
            f"concat:{target}|{target}",
            f"subfile,,start,0,end,0,,:{target}",
            f"crypto+file:{target}",
            f"data:audio/wav;base64,{target}",
            f"http://127.0.0.1:{port}/{target.name}",
            f"tcp://127.0.0.1:{port}",
            f"../../{target}",
        ):
            playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{form}\n#EXT-X-ENDLIST\n".encode()
            master = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000\n{form}\n".encode()
            listed = f"ffconcat version 1.0\nfile '{form}'\n".encode()
            dash = (
                f'{MANIFEST}<Period><AdaptationSet contentType="audio"><Representation id="0" bandwidth="64000">'
                f"<BaseURL>{form}</BaseURL></Representation></AdaptationSet></Period></MPD>"
            ).encode("latin-1")
            for kind, text in (("hls", playlist), ("master", master), ("concat", listed), ("dash", dash)):
                found[f"{kind} {form}"] = text
                found[f"tagged {kind} {form}"] = TAG + text
    session = f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=\xff\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n"
    return found | {"sdp": session.encode("latin-1"), "tagged sdp": TAG + session.encode("latin-1")}


def test_no_list_of_other_addresses_is_followed(secret, elsewhere, tmp_path):
    """Whatever the file is called, which FFmpeg goes by, too."""
    for name, body in attacks(secret, elsewhere.server_port).items():
        for called in ("upload-file", "a.m3u8", "a.mpd"):
            path = tmp_path / called
            path.write_bytes(body)
            with contextlib.suppress(AudioFileError), open_reader(path) as reader:
                heard = [float(np.abs(block).max()) for block in reader.blocks() if block.size]
                assert max(heard, default=0.0) < 0.1, (name, called)
    assert elsewhere.asked == []


def test_the_server_follows_none_either(server, secret, elsewhere):
    forms = attacks(secret, elsewhere.server_port)
    for name in [name for name in forms if name.startswith("tagged") or "passwd" in name][::5]:
        answer = server.client.post("/v1/enhance", files={"file": ("a.m3u8", forms[name])})
        assert answer.status_code in (415, 422), name
        assert "root:" not in answer.text
        assert str(secret) not in answer.text
    assert elsewhere.asked == []
    server.wait_until_clean()


def test_of_what_ffmpeg_would_follow_nothing_gets_past_the_list_of_formats(secret, tmp_path):
    """Not even what was not known by its first bytes."""
    shutil.copy(secret, tmp_path / "secret.wav")
    listed = tmp_path / "upload-file"
    listed.write_text("ffconcat version 1.0\nfile secret.wav\n")
    with av.open(str(listed), options={"protocol_whitelist": "file,pipe"}) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == RATE
    source = open_source(listed)
    with pytest.raises(CannotDecodeError):
        open_input(source)
    source.close()


def test_of_what_ffmpeg_would_fetch_nothing_is(elsewhere, secret):
    url = f"http://127.0.0.1:{elsewhere.server_port}/secret.wav"
    with av.open(url) as container:
        assert container.format.name == "wav"
    assert elsewhere.asked.pop() == "/secret.wav"
    elsewhere.asked.clear()
    for address in (url, f"concat:{secret}", f"subfile,,start,0,end,0,,:{secret}"):
        with pytest.raises(AudioFileError, match=r"does not exist|cannot be opened"), open_reader(address):
            pass
    assert elsewhere.asked == []
