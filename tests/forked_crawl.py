"""Crawls for a test that makes thousands: each is forked from a process that has Scrapy loaded, and not started anew.

with Zygote(clock) as zygote:
    run.check(..., start=zygote.start)

All else is the real crawl's: the request, the frames, the process group, the hard limit. What came back is dated by the
test's clock.
"""

from __future__ import annotations

import gc
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self

from scraper import crawl
from scraper.fetched import Fetched
from scraper.settings import CrawlSettings, Known

_LOADED = (
    "scraper.spiders.agreements",
    "scraper.middlewares",
    "scrapy.crawler",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.core.downloader.contextfactory",
    "scrapy.core.downloader.middleware",
    "scrapy.downloadermiddlewares.defaultheaders",
    "scrapy.downloadermiddlewares.downloadtimeout",
    "scrapy.downloadermiddlewares.httpcompression",
    "scrapy.downloadermiddlewares.httpproxy",
    "scrapy.downloadermiddlewares.redirect",
    "scrapy.downloadermiddlewares.robotstxt",
    "scrapy.downloadermiddlewares.useragent",
    "scrapy.dupefilters",
    "scrapy.extensions.throttle",
    "scrapy.logformatter",
    "scrapy.pqueues",
    "scrapy.resolver",
    "scrapy.robotstxt",
    "scrapy.spidermiddlewares.httperror",
    "scrapy.spidermiddlewares.referer",
    "scrapy.spidermiddlewares.start",
    "scrapy.squeues",
    "scrapy.statscollectors",
    "twisted.internet.asyncioreactor",
    "protego",
)
"""What a crawl comes to load; none of it installs a reactor, which no fork would survive."""

_NUMBER = struct.Struct("i")


class Zygote:
    """The process that crawls are forked from, one at a time, for as long as the `with` block lasts."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._control, theirs = socket.socketpair()
        root = Path(__file__).resolve().parents[1]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.forked_crawl", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": str(root), "no_proxy": "*"},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._control.close()
        self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self, settings: CrawlSettings, known: Known) -> crawl.Crawl:
        """What `scraper.crawl.start` does; the crawl before must be over."""
        return _Forked(self._control, settings, known, self._clock)


class _Forked(crawl.Crawl):
    """A crawl whose process is a child of the zygote's."""

    def __init__(
        self, control: socket.socket, settings: CrawlSettings, known: Known, clock: Callable[[], datetime]
    ) -> None:
        self._settings, self._known, self._clock = settings, known, clock
        self._deadline = time.monotonic() + settings.hard_limit_seconds
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # closed by stop()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        with tempfile.TemporaryFile() as request:
            request.write(crawl._request(settings, known))
            request.seek(0)
            socket.send_fds(control, [b"x"], [request.fileno(), self._output.fileno(), self._errors.fileno()])
            self._process = _Process(control)  # type: ignore[assignment]  # as much of a Popen as is used

    def wait(self) -> list[Fetched]:
        return [replace(one, fetched_at=self._clock()) for one in super().wait()]


class _Process:
    """The forked process as its starter sees it: what `subprocess.Popen` has of it."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._code: int | None = None
        self.pid = self._number()

    def poll(self) -> int | None:
        with self._lock:
            if self._code is None and select.select([self._control], [], [], 0)[0]:
                self._code = self._number()
            return self._code

    def wait(self) -> int:
        while (code := self.poll()) is None:
            # Where a limit has passed, another thread may be the one that reads.
            select.select([self._control], [], [], 0.1)
        return code

    def _number(self) -> int:
        data = self._control.recv(_NUMBER.size)
        if len(data) < _NUMBER.size:
            raise OSError("the process that crawls are forked from has ended")
        number: int = _NUMBER.unpack(data)[0]
        return number


def _serve(control: socket.socket) -> None:
    """Fork for each request until the other side closes; say which process it is, and then how it ended."""
    for name in _LOADED:
        import_module(name)
    assert "twisted.internet.reactor" not in sys.modules
    gc.collect()
    gc.freeze()
    child = 0
    while True:
        message, files, *_ = socket.recv_fds(control, 1, 3)
        if child:
            os.waitpid(child, 0)  # as late as this, so that nobody else can have had its number
        if not message:
            return
        child = os.fork()
        if not child:
            _crawl(control, files)
        for file in files:
            os.close(file)
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert ended is not None
        control.send(_NUMBER.pack(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status))


def _crawl(control: socket.socket, files: list[int]) -> None:
    """In the fork: what `python -m scraper.crawl` does, with these as its standard files."""
    try:
        os.setsid()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        control.send(_NUMBER.pack(os.getpid()))
        control.close()
        crawl.main()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
