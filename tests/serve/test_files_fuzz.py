"""Whatever is sent, the answer is never a fault of the server, and nothing is left behind."""

from __future__ import annotations

import io
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
import pytest
import soundfile
from files_server import FileServer, running, silent_flac
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEYS = ("preset", "strength", "method", "format", "keep", "x")
LIKELY = ["podcast", "0.5", "auto", "wiener", "flac", "original", "music"]
VALUES = st.one_of(st.sampled_from(LIKELY), st.text(max_size=20))
PIECES = [b"--x\r\n", b"\r\n--x--\r\n", b'Content-Disposition: form-data; name="file"\r\n', b"\r\n", b"--x--", b":"]
SMALL = silent_flac(0.2, 8000)


def _files() -> list[bytes]:
    """One of each kind, small."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(2000)
    found = [SMALL]
    for form, subtype in (("WAV", "PCM_16"), ("OGG", "OPUS"), ("MP3", None), ("AIFF", "PCM_24"), ("CAF", "ALAC_16")):
        stored = io.BytesIO()
        soundfile.write(stored, noise, 8000, format=form, subtype=subtype)
        found.append(stored.getvalue())
    return found


FILES = _files()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    folder = tmp_path_factory.mktemp("serve")
    limits = {"max_duration_s": 60.0, "requests_per_minute": 100_000, "jobs_per_client": None, "max_jobs_waiting": 1000}
    with running(folder, decode_seconds_limit=5.0, result_kept_s=0.5, **limits) as found:
        yield found
        found.wait_until_clean()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file with some bytes changed, cut out or put in."""
    data = bytearray(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, min(len(data), 400)))
        kind = draw(st.sampled_from(["change", "cut", "put"]))
        some = draw(st.binary(min_size=1, max_size=8))
        if kind == "cut":
            del data[at : at + draw(st.integers(1, 300))]
        else:
            data[at : at + (len(some) if kind == "change" else 0)] = some
    return bytes(data)


@QUICK
@given(body=st.one_of(damaged(), st.binary(max_size=2000)))
@pytest.mark.parametrize("path", ["/v1/enhance", "/v1/analyze"])
def test_bodies(server, path, body):
    assert server.client.post(path, content=body).status_code < 500


@QUICK
@given(query=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3))
def test_queries(server, query):
    assert server.client.post("/v1/enhance", params=query, content=SMALL).status_code in (200, 422)


@QUICK
@given(
    kind=st.one_of(
        st.just("multipart/form-data; boundary=x"),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60).map(lambda text: text.strip()),
    ),
    parts=st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=40)), max_size=8),
)
@pytest.mark.parametrize("path", ["/v1/enhance", "/v1/measure", "/v1/jobs"])
def test_forms(server, path, kind, parts):
    answer = server.client.post(path, content=b"".join(parts), headers={"Content-Type": kind})
    assert answer.status_code < 500, answer.text


@QUICK
@given(job=st.text(max_size=60), tail=st.sampled_from(["", "/events", "/result"]))
def test_names_of_jobs(server, job, tail):
    answer = server.client.get(f"/v1/jobs/{quote(job, safe='')}{tail}")
    assert answer.status_code in (404, 405, 307, 400)
