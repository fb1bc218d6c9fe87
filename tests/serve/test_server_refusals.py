"""What is refused for now tells when to come again, and scripts of other sites can read what an answer tells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from files_server import FileServer, running, silent_flac, wait_until
from live_server import metric, running_server
from starlette.testclient import TestClient

from unmuffle.errors import ModelError, UnmuffleError
from unmuffle.serve.app import create_app
from unmuffle.serve.errors_http import CODES, ApiError, as_api_error
from unmuffle.serve.media_pool import _as_api_error
from unmuffle.serve.settings import ServerSettings

SITE = "https://calls.example"
PLAIN = {"content-length", "content-type", "date", "last-modified", "server", "vary"} | {
    "referrer-policy",
    "x-content-type-options",
}
"""Headers that scripts may read anyway, or that tell them nothing."""


@pytest.mark.parametrize("status", CODES)
def test_all_that_is_refused_for_now_tells_when_to_come_again(status):
    headers = ApiError(status, "no").headers
    assert ("Retry-After" in headers) == (status in (429, 503))
    assert int(headers.get("Retry-After", 1)) >= 1


def test_of_faults_of_the_server_too():
    for error in (UnmuffleError("x"), ModelError("x")):
        assert int(as_api_error(error).headers["Retry-After"]) >= 1
    for code in ("model", "timed_out"):
        told = _as_api_error({"code": code, "message": "x"})
        assert (told.status == 503) == ("Retry-After" in told.headers)


def test_a_crowd_is_told_to_come_again_and_the_health_checks_go_on():
    app = create_app(ServerSettings())
    with TestClient(app, base_url="http://127.0.0.1") as client:
        state = app.state.server
        free, state._places = state._places, 0
        answer = client.get("/v1/models")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert client.get("/healthz").status_code == 200
        state._places = 1
        assert client.get("/v1/models").status_code == 200
        assert state._places == 1
        assert free > 1000


def test_a_stream_takes_one_of_the_places_and_gives_it_back():
    from raw_websocket import RawClient

    with running_server() as server:
        free = server.state._places
        with RawClient(server.port) as client:
            assert client.ready["type"] == "ready"
            assert server.state._places == free - 1
        wait_until(lambda: server.state._places == free, 5.0)
        server.state._places = 0
        with RawClient(server.port, hello=None) as client:
            assert client.status == 503
        server.state._places = free
        assert metric(server.get("/metrics")[1], "unmuffle_http_requests_total", status="503") == 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    folder = tmp_path_factory.mktemp("serve")
    with running(folder, allowed_origins=(SITE,), cache=folder / "cache", requests_per_minute=20) as found:
        yield found


def test_scripts_of_a_site_that_was_named_can_read_what_answers_tell(server):
    other = {"Origin": SITE}
    short = silent_flac(1.0)
    # Samples that break off: there is something to warn of.
    broken = silent_flac(2.0)[:-20]
    job = server.client.post("/v1/jobs", content=short, headers=other)
    assert "event: done" in server.client.get(job.json()["events_url"]).text
    answers = [
        job,
        server.client.post("/v1/enhance", params={"preset": "auto"}, content=broken, headers=other),
        server.client.get(job.json()["result_url"], headers=other | {"Range": "bytes=0-9"}),
        server.client.post("/v1/enhance", content=b"a letter", headers=other),
        *(server.client.get("/v1/models", headers=other) for _ in range(20)),
    ]
    assert {answer.status_code for answer in answers} == {202, 200, 206, 415, 429}
    seen: set[str] = set()
    for answer in answers:
        told = {name.lower() for name in answer.headers if not name.lower().startswith("access-control-")}
        exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
        assert told - PLAIN - exposed == set()
        seen |= told
    assert {"x-unmuffle-warnings", "x-unmuffle-cache", "x-unmuffle-chain", "content-range", "retry-after"} <= seen


def test_they_may_send_what_requests_need(server):
    asked = {"Origin": SITE, "Access-Control-Request-Method": "GET"}
    wanted = "authorization, content-disposition, if-range, range, x-api-key"
    told = server.client.options("/v1/models", headers=asked | {"Access-Control-Request-Headers": wanted})
    assert told.status_code == 200
