"""The files of the page: complete, of this host alone, and sent with a strict policy."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")
from starlette.requests import Request

from unmuffle.serve import routes_page
from unmuffle.serve.routes_page import page_files


async def asked(name: str | None, **headers: str):
    fields = [(key.replace("_", "-").encode(), value.encode()) for key, value in headers.items()]
    scope = {"type": "http", "method": "GET", "headers": fields, "path_params": {"name": name}}
    return await (routes_page.index if name is None else routes_page.page_file)(Request(scope))


def answer(name: str | None = None, **headers: str):
    """What is sent for a file, or for the page itself."""
    import asyncio

    return asyncio.run(asked(name, **headers))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text_in: list[tuple[str, str]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if data.strip():
            self.text_in.append((self.tags[-1][0] if self.tags else "", data))


@pytest.fixture(scope="module")
def tags():
    parser = Tags()
    parser.feed(page_files()["index.html"].body.decode())
    return parser


def text(name: str) -> str:
    return page_files()[name].body.decode()


def test_whatever_a_file_names_is_there(tags):
    linked = [attributes.get("src") or attributes.get("href") for _, attributes in tags.tags]
    named = {link for link in linked if link and link.startswith("page/")}
    assert len(named) >= 3
    assert {link.removeprefix("page/") for link in named} <= set(page_files())
    for name in (name for name in page_files() if name.endswith(".js")):
        imported = re.findall(r"from \"\./([\w.-]+)\"", text(name)) + re.findall(
            r"new URL\(\"([\w.-]+\.js)\"", text(name)
        )
        assert set(imported) <= set(page_files()), name


def test_every_script_is_used():
    all_text = "".join(text(name) for name in page_files())
    for name in page_files():
        assert name == "index.html" or name in all_text, name


@pytest.mark.parametrize("name", sorted(page_files()))
def test_no_file_names_another_host(name):
    assert set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+", text(name))) <= {"http://www.w3.org"}


def test_nothing_is_inline(tags):
    for tag, attributes in tags.tags:
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]


def test_nothing_is_ever_parsed_as_html():
    for name in page_files():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text(name))


def test_the_policy_allows_this_host_alone():
    policy = answer().headers["content-security-policy"]
    sources = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert sources["default-src"] == "'none'"
    assert sources["script-src"] == sources["connect-src"] == sources["style-src"] == "'self'"
    assert sources["frame-ancestors"] == sources["base-uri"] == "'none'"
    assert "unsafe" not in policy


def test_a_file_that_is_known_is_not_sent_again():
    first = answer("main.js")
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-cache"
    again = answer("main.js", if_none_match=f'"other", W/{first.headers["etag"]}')
    assert again.status_code == 304
    assert again.body == b""
    assert answer("main.js", if_none_match='"other"').status_code == 200


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "/etc/passwd", "none.js", "", "index.html/", "\0"])
def test_only_files_of_the_page_are_given(name):
    from starlette.exceptions import HTTPException

    with pytest.raises(HTTPException) as error:
        answer(name)
    assert error.value.status_code == 404


def test_types_are_told():
    assert answer().media_type == "text/html; charset=utf-8"
    assert answer("main.js").media_type.startswith("text/javascript")
    assert answer("style.css").media_type.startswith("text/css")
