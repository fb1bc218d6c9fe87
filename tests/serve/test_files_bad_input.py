"""What is not audio, lies about itself, or is made to do harm gets a clear answer that is no fault of the server."""

from __future__ import annotations

import io
import struct
import time
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
from files_server import FileServer, running, silent_flac

MAX_S = 30.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    folder = tmp_path_factory.mktemp("serve")
    with running(folder, max_duration_s=MAX_S, max_upload_bytes=4_000_000, decode_seconds_limit=3.0) as found:
        yield found


@pytest.fixture(autouse=True)
def _clean(server: FileServer) -> Iterator[None]:
    yield
    server.wait_until_clean()


def wav(seconds: float = 1.0, rate: int = 16_000, channels: int = 1) -> bytes:
    stored = io.BytesIO()
    noise = 0.1 * np.random.default_rng(0).standard_normal((round(seconds * rate), channels))
    soundfile.write(stored, noise, rate, format="WAV", subtype="PCM_16")
    return stored.getvalue()


def wav_header(channels: int = 1, rate: int = 16_000, bits: int = 16, data_bytes: int = 0xFFFFFFFF) -> bytes:
    block = channels * bits // 8
    about = struct.pack("<HHIIHH", 1, channels, rate, (rate * block) % 2**32, block % 65536, bits)
    return b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + about + b"data" + struct.pack("<I", data_bytes)


def zipped() -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("a.wav", wav())
    return stored.getvalue()


NOT_AUDIO = {
    "text": b"hello, this is a letter\n" * 100,
    "html": b"<!doctype html><html></html>",
    "zeros": bytes(100_000),
    "zip": zipped(),
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "hidden playlist": b"ID3\x03\0\0\0\0\0\x10" + bytes(16) + b"#EXTM3U\n#EXTINF:9,\n/etc/passwd\n#EXT-X-ENDLIST\n",
    "noise": np.random.default_rng(1).bytes(50_000),
    "header alone": wav_header(),
    "half a header": wav_header()[:30],
    "magic alone": b"fLaC",
    "cut FLAC": silent_flac(1.0)[:50],
}


@pytest.mark.parametrize("name", NOT_AUDIO)
def test_what_is_not_audio_is_told_so(server, name):
    for path in ("/v1/enhance", "/v1/analyze"):
        answer = server.client.post(path, content=NOT_AUDIO[name])
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "not_audio"), answer.text
        assert str(server.settings.temp_dir) not in answer.text


def test_nothing_is_told_so(server):
    for answer in (server.client.post("/v1/enhance"), server.client.post("/v1/enhance", files={"file": ("a", b"")})):
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "empty")


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        pytest.param(silent_flac(1.0, told_samples=2**36 - 1), {413}, id="claims 10^6 s"),
        pytest.param(silent_flac(600.0), {413}, id="ten minutes in few bytes"),
        pytest.param(silent_flac(600.0, told_samples=0), {413}, id="ten minutes of untold length"),
        pytest.param(wav_header(rate=1, bits=8) + bytes(1000), {413, 415, 422}, id="a sample a second"),
        pytest.param(wav_header(rate=2**31) + bytes(1000), {415, 422}, id="2 GHz"),
        pytest.param(wav_header(channels=0) + bytes(1000), {415, 422}, id="no channels"),
        pytest.param(wav_header(channels=65535) + bytes(3_000_000), {413, 415, 422, 503}, id="65535 channels"),
    ],
)
def test_lies_and_bombs_are_refused_in_bounded_time(server, body, statuses):
    begun_s = time.monotonic()
    answer = server.client.post("/v1/enhance", content=body)
    assert answer.status_code in statuses, answer.text
    assert answer.json()["error"]["message"]
    assert time.monotonic() - begun_s < 12.0


def test_the_limit_on_length_holds_for_all_that_read_audio(server):
    long = silent_flac(MAX_S + 1.0, told_samples=0)
    files = {"noisy": silent_flac(1.0), "enhanced": silent_flac(MAX_S + 1.0)}
    for answer in (
        server.client.post("/v1/enhance", params={"preset": "podcast"}, content=long),
        server.client.post("/v1/analyze", content=long),
        server.client.post("/v1/measure", files=files),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_long"), answer.text
        assert "30 s" in answer.json()["error"]["message"]


def test_audio_of_just_the_allowed_length_is_taken(server):
    assert server.client.post("/v1/enhance", content=silent_flac(MAX_S, 8000)).status_code == 200


def test_a_file_that_is_too_large_is_refused_before_it_comes(server):
    answer = server.client.post("/v1/enhance", headers={"Content-Length": "5000000"}, content=b"x" * 5_000_000)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "query",
    [
        {"strength": "2"},
        {"strength": "nan"},
        {"strength": "loud"},
        {"preset": "/etc/passwd"},
        {"preset": "../shipped/podcast.toml"},
        {"preset": "podcast.toml"},
        {"method": "/etc/passwd"},
        {"method": "magic"},
        {"method": "wiener", "preset": "nobody"},
        {"format": "exe"},
        {"format": "../x"},
        {"keep": "quiet"},
        {"model": "/etc/passwd"},
        {"chain": "denoise"},
        {"streng": "1"},
    ],
)
def test_wrong_options_are_told_before_the_file_is_read(server, query):
    for path in ("/v1/enhance", "/v1/jobs"):
        answer = server.client.post(path, params=query, content=wav())
        assert answer.status_code == 422, answer.text
        assert "root:" not in answer.text


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "multipart/form-data"}, b"--x\r\n", 400),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"", 400),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"hello", 400),
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF',
            400,
        ),
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            b'--x\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\nRIFF\r\n--x--\r\n',
            422,
        ),
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            b'--x\r\nContent-Disposition: form-data; name="../../file"; filename="a"\r\n\r\nRIFF\r\n--x--\r\n',
            422,
        ),
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            2 * b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF\r\n' + b"--x--\r\n",
            422,
        ),
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            b"--x\r\nContent-Disposition: form-data; " + b"a" * 100_000 + b"\r\n\r\nRIFF\r\n--x--\r\n",
            400,
        ),
    ],
)
def test_forms_that_are_none_are_told_so(server, headers, body, status):
    answer = server.client.post("/v1/enhance", headers=headers, content=body)
    assert answer.status_code == status, answer.text


def test_what_can_be_read_but_not_written_is_told_for_the_original_format_alone(server):
    stored = io.BytesIO()
    soundfile.write(stored, np.zeros(8000), 8000, format="VOC", subtype="PCM_16")
    answer = server.client.post("/v1/enhance", params={"format": "original"}, content=stored.getvalue())
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "cannot_write")
    assert server.client.post("/v1/enhance", content=stored.getvalue()).status_code == 200


def test_a_file_that_breaks_off_is_enhanced_as_far_as_it_goes(server):
    answer = server.client.post("/v1/enhance", content=wav(2.0)[:40_000])
    assert answer.status_code == 200
    assert "what is there was read" in answer.headers["x-unmuffle-warnings"]


def test_work_that_costs_too_much_is_ended_and_the_next_request_works(tmp_path):
    # Scores take whole files at a time, so that no audio counts as done until all is.
    with running(tmp_path, decode_seconds_limit=0.5) as server:
        files = {role: silent_flac(600.0) for role in ("noisy", "enhanced")}
        answer = server.client.post("/v1/measure", files=files)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "too_costly")
        server.wait_until_clean()
        assert server.client.post("/v1/enhance", content=wav()).status_code == 200
