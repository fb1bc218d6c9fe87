"""Who may come in, from where, how often and with how much; and that the logs tell of it without telling keys."""

from __future__ import annotations

import io
import json
import logging
import urllib.parse

import pytest
from live_server import running_server
from raw_websocket import HELLO, RawClient
from starlette.testclient import TestClient

from unmuffle.errors import InvalidParameterError
from unmuffle.serve.app import create_app
from unmuffle.serve.client import ServerError, open_stream
from unmuffle.serve.errors_http import ApiError
from unmuffle.serve.keys import KeyRing, hash_of_key, make_key, read_key_hashes
from unmuffle.serve.limits import MAX_CLIENTS, ClientLimits
from unmuffle.serve.logs import configure_logging, id_of_request
from unmuffle.serve.settings import ServerSettings

LOOPBACK = "http://127.0.0.1"


def client_of(**settings: object) -> TestClient:
    return TestClient(create_app(ServerSettings(**settings)), base_url=LOOPBACK, raise_server_exceptions=False)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_keys_are_long_all_different_and_known_by_their_hash():
    keys = [make_key() for _ in range(50)]
    assert len({key for key, _ in keys}) == 50
    assert all(len(key) > 40 and digest == hash_of_key(key) for key, digest in keys)
    ring = KeyRing([digest for _, digest in keys])
    assert len({ring.name_of(key) for key, _ in keys}) == 50
    assert ring.name_of("um_wrong") is None
    assert ring.name_of(keys[0][1]) is None


def test_a_file_of_keys(tmp_path):
    digest = make_key()[1]
    (tmp_path / "keys").write_text(f"# ours\n\n{digest.upper()} the phone app  # since May\n")
    assert read_key_hashes(tmp_path / "keys") == (digest,)
    (tmp_path / "none").write_text("# none\n")
    with pytest.raises(InvalidParameterError, match="no key"):
        read_key_hashes(tmp_path / "none")
    with pytest.raises(InvalidParameterError, match="as its SHA-256"):
        ServerSettings(api_keys=("um_a_key_itself",))


def test_without_a_key_nobody_comes_in_but_health_is_told():
    key, digest = make_key()
    with client_of(api_keys=(digest,)) as client:
        refused = client.get("/v1/models")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.json()["error"]["code"] == "key_needed"
        assert client.get("/v1/models", headers={"Authorization": "Bearer um_wrong"}).status_code == 401
        assert client.get("/v1/models", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        assert client.get("/v1/models", headers={"X-Api-Key": key}).status_code == 200
        assert [client.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [200] * 3


def test_a_stream_brings_its_key_in_a_header_or_in_its_hello():
    key, digest = make_key()
    with running_server(api_keys=(digest,)) as server:
        with open_stream(server.url, 16_000, key=key):
            pass
        with RawClient(server.port, headers=f"Authorization: Bearer {key}\r\n") as client:
            assert client.ready["type"] == "ready"
        with pytest.raises(ServerError) as refused, open_stream(server.url, 16_000, key="um_wrong"):
            pass
        assert refused.value.code == "key_needed"
        with RawClient(server.port, headers="Authorization: Bearer um_wrong\r\n", hello=None) as client:
            assert client.status == 401
        with RawClient(server.port) as client:
            assert client.close_code() == 1008


def test_a_page_of_another_site_is_refused():
    with running_server() as server:
        for origin, status in (("https://evil.example", 403), ("null", 403), (server.url, 101)):
            with RawClient(server.port, headers=f"Origin: {origin}\r\n", hello=None) as client:
                assert client.status == status
    with client_of() as client:
        refused = client.post("/v1/analyze", headers={"Origin": "https://evil.example"}, content=b"x")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "wrong_origin")
        assert "access-control-allow-origin" not in client.get("/v1/models").headers


def test_a_site_that_was_named_may_call():
    site = "https://calls.example"
    with client_of(allowed_origins=(site,)) as client:
        assert client.get("/v1/models", headers={"Origin": site}).headers["access-control-allow-origin"] == site
        asked = {"Origin": site, "Access-Control-Request-Method": "POST"}
        assert client.options("/v1/enhance", headers=asked).status_code == 200
        other = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        assert client.options("/v1/enhance", headers=other).status_code == 400
    with (
        running_server(allowed_origins=(site,)) as server,
        RawClient(server.port, headers=f"Origin: {site}\r\n") as client,
    ):
        assert client.ready["type"] == "ready"


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        ({}, "rebound.example", 403),
        ({}, "localhost:8000", 200),
        ({}, "[::1]:8000", 200),
        ({"allowed_hosts": ("voice.example",)}, "voice.example", 200),
        ({"host": "0.0.0.0"}, "anything.example", 200),
        ({"host": "0.0.0.0", "allowed_hosts": ("voice.example",)}, "anything.example", 403),
    ],
)
def test_names_by_which_the_server_may_be_called(settings, host, status):
    """A name that another site has let point to this machine is none of them."""
    with client_of(**settings) as client:
        assert client.get("/v1/models", headers={"Host": host}).status_code == status


def test_requests_come_back_over_a_minute():
    clock = Clock()
    limits = ClientLimits(ServerSettings(requests_per_minute=30), clock)
    for _ in range(30):
        limits.count_request("a")
    with pytest.raises(ApiError) as refused:
        limits.count_request("a")
    assert refused.value.headers == {"Retry-After": "2"}
    limits.count_request("b")
    clock.now_s += 2.0
    limits.count_request("a")
    with pytest.raises(ApiError):
        limits.count_request("a")


def test_places_are_given_back():
    limits = ClientLimits(ServerSettings(requests_at_once=1, streams_per_client=1))
    for place in (limits.request, limits.stream):
        with place("a"), place("b"), pytest.raises(ApiError, match="of this client"), place("a"):
            pass
        with place("a"):
            pass


def test_the_share_of_a_day():
    clock = Clock()
    limits = ClientLimits(ServerSettings(audio_s_per_day=60.0), clock)
    limits.count_audio("a", 59.0)
    limits.check_audio("a")
    limits.count_audio("a", 1.0)
    clock.now_s += 3600.0
    with pytest.raises(ApiError, match="used up") as refused:
        limits.check_audio("a")
    assert refused.value.retry_after_s == 23 * 3600.0
    limits.check_audio("b")
    clock.now_s += 23 * 3600.0
    limits.check_audio("a")


def test_no_more_clients_are_remembered_than_there_is_room_for():
    limits = ClientLimits(ServerSettings(requests_per_minute=1))
    with limits.stream("busy"):
        limits.count_request("first")
        for number in range(MAX_CLIENTS + 10):
            limits.count_request(f"other {number}")
        assert len(limits._clients) == MAX_CLIENTS
        assert "busy" in limits._clients
        limits.count_request("first")


def test_what_clients_make_up_is_no_metric():
    with client_of() as client:
        client.request("BREW", "/v1/models")
        client.get("/some/thing")
        client.get("/v1/models")
        told = client.get("/metrics").text
    requests = [line for line in told.splitlines() if line.startswith("unmuffle_http_requests_total")]
    assert 'endpoint="models",method="GET",status="200"' in "".join(requests)
    assert len(requests) == 3
    assert "BREW" not in told
    assert "thing" not in told


def test_too_many_requests_are_told_when_to_come_again():
    with client_of(requests_per_minute=3) as client:
        answers = [client.get("/v1/models") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
        assert client.get("/healthz").status_code == 200


def test_streams_of_one_client_and_its_share_of_audio():
    with running_server(streams_per_client=1, audio_s_per_day=1.0) as server:
        import numpy as np

        with open_stream(server.url, 16_000) as stream:
            with pytest.raises(ServerError) as refused, open_stream(server.url, 16_000):
                pass
            assert refused.value.code == "too_many"
            stream.send(np.zeros(32_000, np.float32))
            with pytest.raises(ServerError, match="used up") as ended:
                list(stream)
        assert ended.value.code == "quota"
        with pytest.raises(ServerError, match="used up"), open_stream(server.url, 16_000):
            pass


@pytest.mark.parametrize("told", [True, False])
def test_a_file_that_is_too_large(told):
    body = bytes(20_000)
    with client_of(max_upload_bytes=10_000) as client:
        answer = client.post("/v1/enhance", content=body if told else iter([body[:9_000], body[9_000:]]))
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_every_answer_has_an_id_and_a_harmless_one_is_kept():
    with client_of() as client:
        assert client.get("/healthz", headers={"X-Request-Id": "call-7"}).headers["x-request-id"] == "call-7"
        answer = client.get("/nothing-here")
        assert answer.json()["error"] == {
            "code": "not_found",
            "message": "there is no GET /nothing-here: see /docs",
            "request_id": answer.headers["x-request-id"],
        }
        refused = client.delete("/v1/models")
        assert (refused.status_code, set(refused.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})
        assert refused.json()["error"]["message"] == "there is no DELETE /v1/models; it takes GET, HEAD: see /docs"
    for odd in ("a b", "x" * 65, '"', "", "\u0661"):
        assert id_of_request(odd) != odd


def test_logs_are_json_with_the_id_and_no_key():
    key, digest = make_key()
    stream = io.StringIO()
    loggers = [logging.getLogger(name) for name in ("unmuffle.serve", "uvicorn", "asyncio")]
    before = [(logger.handlers, logger.propagate, logger.level) for logger in loggers]
    configure_logging(3, stream=stream)
    try:
        with client_of(api_keys=(digest,)) as client:
            headers = {"Authorization": f"Bearer {key}", "X-Request-Id": "call-8"}
            client.get("/v1/presets", params={"key": key}, headers=headers)
            with client.websocket_connect("ws://127.0.0.1/v1/stream") as socket:
                socket.send_text(json.dumps(HELLO | {"key": key}))
                assert socket.receive_json()["type"] == "ready"
    finally:
        for logger, (handlers, propagate, level) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    request = next(line for line in lines if line.get("path") == "/v1/presets")
    assert (request["request_id"], request["status"], request["worker"]) == ("call-8", 200, 3)
    assert {"stream opened", "stream closed"} <= {line["event"] for line in lines}
    assert key not in stream.getvalue()
    assert digest not in stream.getvalue()
    assert urllib.parse.quote(key) not in stream.getvalue()


def test_a_fault_of_the_server_is_not_described_to_clients(monkeypatch):
    import unmuffle.serve.routes_models as part

    def fail() -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(part, "_models", fail)
    with client_of() as client:
        answer = client.get("/v1/models")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]


def test_docs_come_from_this_host_alone():
    with client_of() as client:
        page = client.get("/docs")
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert "http://" not in page.text
        assert "https://" not in page.text
        paths = client.get("/openapi.json").json()["paths"]
        assert {"/v1/enhance", "/v1/analyze", "/v1/jobs", "/v1/models", "/healthz"} <= set(paths)
        assert all(path in page.text for path in paths)


@pytest.mark.parametrize(
    "settings",
    [{"port": -1}, {"capacity": 0}, {"workers": 0}, {"drain_s": -1}, {"allowed_origins": ("example.org",)}],
)
def test_settings_that_cannot_be(settings):
    with pytest.raises(InvalidParameterError):
        ServerSettings(**settings)
