"""``unmuffle serve``: files, live streams and a web page over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from unmuffle.cli.console import plain_errors
from unmuffle.measure.extras import load_package
from unmuffle.serve.settings import ServerSettings

SERVE = '"unmuffle[serve]"'
HOUR_S = 3600.0
MEGABYTE = 1_000_000


@plain_errors
def command(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 for a free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes; one a core.")] = 1,
    capacity: Annotated[int, typer.Option(min=1, help="Live streams a worker.")] = 256,
    model: Annotated[str, typer.Option(metavar="NAME|FILE", help="See 'unmuffle models'.")] = "auto",
    on_overload: Annotated[
        Literal["step_down", "keep"], typer.Option(help="What streams do where the machine cannot keep up.")
    ] = "step_down",
    tick_interval_ms: Annotated[
        float, typer.Option(help="Least time between two calls of the network, in which frames gather.")
    ] = ServerSettings.tick_interval_ms,
    keys: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Ask for a key; the file has a hash a line, of --make-key.")
    ] = None,
    make_key: Annotated[
        bool, typer.Option("--make-key", help="Print a new key, and its hash for the file of --keys, and end.")
    ] = False,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A site whose pages may call, as https://example.org; repeat for more."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name by which the server may be called; repeat for more."),
    ] = None,
    trust_proxy: Annotated[
        bool, typer.Option("--trust-proxy", help="Take a client's address from the proxy on this machine.")
    ] = False,
    max_upload_mb: Annotated[int, typer.Option(min=1, help="Largest file in megabytes.")] = 1074,
    max_duration_hours: Annotated[float, typer.Option(help="Longest audio of a file.")] = 4.0,
    requests_per_minute: Annotated[int, typer.Option(min=1, help="Of one client; a stream is one.")] = 1200,
    streams_per_client: Annotated[
        int | None, typer.Option(min=1, help="Live streams of one client. [default: all there are]")
    ] = None,
    audio_hours_per_day: Annotated[
        float | None, typer.Option(help="Audio that one client may have enhanced. [default: no limit]")
    ] = None,
    drain_s: Annotated[
        float, typer.Option(min=0.0, help="What running streams and files are given once told to stop.")
    ] = 10.0,
    temp_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where uploads lie meanwhile. [default: the system's]")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep results there, and answer the same file from them.")
    ] = None,
) -> None:
    """Serve files, live streams and a web page."""
    from unmuffle.serve.keys import make_key as new_key
    from unmuffle.serve.keys import read_key_hashes

    if make_key:
        key, digest = new_key()
        typer.echo(f"key   {key}\nhash  {digest}")
        return
    settings = ServerSettings(
        host=host,
        port=port,
        workers=workers,
        capacity=capacity,
        model=model,
        on_overload=on_overload,
        tick_interval_ms=tick_interval_ms,
        api_keys=() if keys is None else read_key_hashes(keys),
        allowed_origins=tuple(allow_origin or ()),
        allowed_hosts=tuple(allow_host or ()),
        trust_proxy=trust_proxy,
        max_upload_bytes=max_upload_mb * MEGABYTE,
        max_duration_s=max_duration_hours * HOUR_S,
        requests_per_minute=requests_per_minute,
        streams_per_client=streams_per_client,
        audio_s_per_day=None if audio_hours_per_day is None else audio_hours_per_day * HOUR_S,
        drain_s=drain_s,
        temp_dir=temp_dir,
        cache=cache,
    )
    for package in ("starlette", "uvicorn", "websockets", "prometheus_client", "multipart"):
        load_package(package, SERVE, "unmuffle serve")
    from unmuffle.serve.server import serve

    serve(settings)
