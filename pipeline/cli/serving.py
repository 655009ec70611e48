"""`serve`: the history in a browser."""

import os
import signal
import socket
import webbrowser
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Code, Context, Failure, say

if TYPE_CHECKING:
    from datasette.app import Datasette


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8001, show_default=True, help="0 takes any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Which of this machine's addresses to answer on.")
@click.option("--open", "open_browser", is_flag=True, help="Open it in a browser.")
@click.pass_obj
def serve(context: Context, port: int, host: str, open_browser: bool) -> None:
    """Browse the history: search, facets, recipes, SQL, JSON, CSV and Atom, by Datasette.

    It reads only, beside whatever writes, and answers this machine alone unless --host says otherwise. Ctrl-C or
    SIGTERM ends it. Needs the extra `browse`.
    """
    datasette = _datasette(context, host)
    listening = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{listening.getsockname()[1]}/"
    say(f"{address} shows {context.paths.database}; Ctrl-C ends it")
    if open_browser:
        webbrowser.open(address)
    _run(datasette, listening)


def _datasette(context: Context, host: str) -> "Datasette":
    with context.reading():
        pass
    try:
        from pipeline.publish.browse.application import application
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] in ("datasette", "uvicorn"):
            raise Failure("serve needs the extra `browse`: pip install 'watch287g[browse]'", Code.USAGE) from None
        raise
    from db.connect import HistoryError

    try:
        return application(context.paths.database, context.config.source.link_hosts, host=host)
    except HistoryError as error:
        raise Failure(str(error)) from None


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise Failure(f"cannot listen on {host}, port {port}: {why}; try another --port or --host") from None


def _run(datasette: "Datasette", listening: socket.socket) -> None:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(datasette.app(), log_level="warning", lifespan="on"))
    for number in (signal.SIGTERM, signal.SIGINT):  # before the server minds them, and when it hands them on
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    with listening:
        server.run(sockets=[listening])
