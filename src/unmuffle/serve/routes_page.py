"""The web page: static files that ship with the package, and what browsers are told to allow it.

No file is built or fetched from elsewhere; the policy forbids scripts, styles, pictures and connections of other hosts,
inline scripts, and being framed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from unmuffle.serve.state import ServerState

FOLDER = Path(__file__).with_name("page")
INDEX = "index.html"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    # The form that opens a report in a new tab must say where it comes from, or it is refused as another site's.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # Asked for again each time, and answered by 304: a page never runs with scripts of another version.
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True)
class PageFile:
    """A file of the page.

    Attributes
    ----------
    body : bytes
    media_type : str
    etag : str
        A strong one: the hash of the body.
    """

    body: bytes
    media_type: str
    etag: str


def routes(state: ServerState) -> list[BaseRoute]:  # noqa: ARG001
    """Return the endpoints."""
    return [Route("/", index), Route("/page/{name}", page_file)]


async def index(request: Request) -> Response:
    """Give the page."""
    return _answer(INDEX, request.headers)


async def page_file(request: Request) -> Response:
    """Give one of the page's files."""
    return _answer(request.path_params["name"], request.headers)


@cache
def page_files() -> dict[str, PageFile]:
    """Return all files of the page by name, read once; no other path can be asked for."""
    found = {}
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in MEDIA_TYPES:
            body = path.read_bytes()
            found[path.name] = PageFile(body, MEDIA_TYPES[path.suffix], f'"{sha256(body).hexdigest()[:32]}"')
    return found


def _answer(name: str, headers: Headers) -> Response:
    file = page_files().get(name)
    if file is None:
        raise HTTPException(404, f"the page has no file {name[:50]!r}")
    told = {**HEADERS, "ETag": file.etag}
    known = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    if file.etag in known:
        return Response(status_code=304, headers=told)
    return Response(file.body, media_type=file.media_type, headers=told)
