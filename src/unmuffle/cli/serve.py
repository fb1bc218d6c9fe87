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
    deadline_ms: Annotated[
        float, typer.Option(help="A frame that is answered later than this is counted as missed.")
    ] = ServerSettings.deadline_ms,
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
    decode_seconds: Annotated[
        float, typer.Option(help="Processor time for a file, besides half a second for each of its audio.")
    ] = ServerSettings.decode_seconds_limit,
    decode_memory_mb: Annotated[
        int, typer.Option(min=1, help="Memory in megabytes of each process that reads files.")
    ] = 1074,
    max_jobs: Annotated[
        int, typer.Option(min=1, help="Files worked on at once as jobs, and as many for clients that wait.")
    ] = ServerSettings.max_jobs,
    max_jobs_waiting: Annotated[
        int, typer.Option(min=1, help="Jobs that may wait; more are refused.")
    ] = ServerSettings.max_jobs_waiting,
    jobs_per_client: Annotated[
        int | None, typer.Option(min=1, help="Jobs of one client that run or wait.")
    ] = ServerSettings.jobs_per_client,
    result_kept_s: Annotated[
        float, typer.Option(help="For how long the result of a job can be fetched.")
    ] = ServerSettings.result_kept_s,
    max_results_mb: Annotated[
        int, typer.Option(min=1, help="No job is taken while the results that are kept are larger.")
    ] = 16_000,
    requests_per_minute: Annotated[int, typer.Option(min=1, help="Of one client; a stream is one.")] = 1200,
    requests_at_once: Annotated[
        int, typer.Option(min=1, help="Of one client, without streams.")
    ] = ServerSettings.requests_at_once,
    streams_per_client: Annotated[
        int | None, typer.Option(min=1, help="Live streams of one client. [default: all there are]")
    ] = None,
    audio_hours_per_day: Annotated[
        float | None, typer.Option(help="Audio that one client may have enhanced. [default: no limit]")
    ] = None,
    hello_timeout_s: Annotated[
        float, typer.Option(help="In which a client must say what it wants.")
    ] = ServerSettings.hello_timeout_s,
    idle_timeout_s: Annotated[
        float, typer.Option(help="After which a silent stream, or an upload that has stopped, is given up.")
    ] = ServerSettings.idle_timeout_s,
    slow_client_s: Annotated[
        float, typer.Option(help="After which a client that does not read its answers is given up.")
    ] = ServerSettings.slow_client_s,
    ping_interval_s: Annotated[
        float, typer.Option(help="How often a stream's far end is asked whether it is still there.")
    ] = ServerSettings.ping_interval_s,
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
        deadline_ms=deadline_ms,
        api_keys=() if keys is None else read_key_hashes(keys),
        allowed_origins=tuple(allow_origin or ()),
        allowed_hosts=tuple(allow_host or ()),
        trust_proxy=trust_proxy,
        max_upload_bytes=max_upload_mb * MEGABYTE,
        max_duration_s=max_duration_hours * HOUR_S,
        decode_seconds_limit=decode_seconds,
        decode_memory_bytes=decode_memory_mb * MEGABYTE,
        max_jobs=max_jobs,
        max_jobs_waiting=max_jobs_waiting,
        jobs_per_client=jobs_per_client,
        result_kept_s=result_kept_s,
        max_results_bytes=max_results_mb * MEGABYTE,
        requests_per_minute=requests_per_minute,
        requests_at_once=requests_at_once,
        streams_per_client=streams_per_client,
        audio_s_per_day=None if audio_hours_per_day is None else audio_hours_per_day * HOUR_S,
        hello_timeout_s=hello_timeout_s,
        idle_timeout_s=idle_timeout_s,
        slow_client_s=slow_client_s,
        ping_interval_s=ping_interval_s,
        drain_s=drain_s,
        temp_dir=temp_dir,
        cache=cache,
    )
    for package in ("starlette", "uvicorn", "websockets", "prometheus_client", "python_multipart"):
        load_package(package, SERVE, "unmuffle serve")
    from unmuffle.serve.server import serve

    serve(settings)
