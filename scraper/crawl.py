"""A crawl in a process of its own: the only file that starts a reactor.

The caller's side is standard library only, and starts the process before it imports anything else of its own:

    crawl = start(settings, known)
    ...  # import what the results will need
    fetched = crawl.wait()
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from scraper.fetched import Fetched, Link, Result, Target
from scraper.frames import link_from, read_frames, write_frame
from scraper.settings import CrawlSettings, Known, KnownWorkbook, scrapy_settings

_GRACE_SECONDS = 2.0
"""How long the process outlives its limit where nobody is left to end it."""


def crawl(settings: CrawlSettings, known: Known | None = None) -> list[Fetched]:
    """Fetch the page and its workbooks: `start` and `wait` in one."""
    with start(settings, known) as running:
        return running.wait()


def start(settings: CrawlSettings, known: Known | None = None) -> Crawl:
    """Start the crawl's process and return at once.

    Raises OSError if no process can be started.
    """
    return Crawl(settings, known or Known())


class Crawl:
    """A crawl that runs. As a context manager it is over when the block is left, however that happens."""

    def __init__(self, settings: CrawlSettings, known: Known) -> None:
        self._settings = settings
        self._known = known
        self._deadline = time.monotonic() + settings.hard_limit_seconds
        # Files rather than pipes: nothing to drain, nothing blocks, and what was written outlives its writer.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # closed by stop()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = _spawn(_request(settings, known), self._output, self._errors)
        except BaseException:
            self._output.close()
            self._errors.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process, which leads a process group of its own."""
        return self._process.pid

    def wait(self) -> list[Fetched]:
        """The page, then its workbooks in the order of their links; a value for each, whatever happened to the process.

        Returns within the hard limit of `start`. To be called once.
        """
        try:
            cause = self._outcome()
            self._output.seek(0)
            return _complete(list(read_frames(self._output)), self._settings.page_url, self._known, cause)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the process and whatever it started, and let go of what it wrote. Harmless when it is over."""
        self._kill()
        self._process.wait()
        self._output.close()
        self._errors.close()

    def _kill(self) -> None:
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _outcome(self) -> str:
        """Wait for the end, and say in one line what would explain a missing value."""
        # Popen.wait(timeout) polls and notices the end up to 50 ms late, a tenth of a crawl; a timer does not.
        timer = threading.Timer(max(0.0, self._deadline - time.monotonic()), self._kill)
        timer.start()
        try:
            code = self._process.wait()
        finally:
            timer.cancel()
        if code == -signal.SIGKILL and time.monotonic() >= self._deadline:
            return f"not done within the crawl's limit of {self._settings.hard_limit_seconds:g} s"
        self._errors.seek(0)
        last_words = self._errors.read()[-2000:].decode("utf-8", "replace").strip().splitlines()
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"the crawl's process {ended}" + (f": {last_words[-1][:300]}" if last_words else "")


def _request(settings: CrawlSettings, known: Known) -> bytes:
    return json.dumps({"settings": asdict(settings), "known": asdict(known)}).encode()


def _spawn(request: bytes, output: IO[bytes], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    # It must run this very code: other packages are named `scraper` too, and one may lie in the working folder.
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    with tempfile.TemporaryFile() as stdin:
        stdin.write(request)
        stdin.seek(0)
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "scraper.crawl"],
            stdin=stdin,
            stdout=output,
            stderr=errors,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
        )


def _complete(fetched: list[Fetched], page_url: str, known: Known, cause: str) -> list[Fetched]:
    """What came back in the order of the page, with a failure for everything that should have."""
    page = next((one for one in fetched if one.target is Target.page), None)
    if page is None:
        return [_missing(Target.page, page_url, cause)]
    links = page.links if page.ok else tuple(w.link for w in known.workbooks) if page.stood else ()
    came = {one.url: one for one in fetched if one.target is Target.workbook}
    return [page, *(came.get(link.url) or _missing(Target.workbook, link.url, cause, link) for link in links)]


def _missing(target: Target, url: str, cause: str, link: Link | None = None) -> Fetched:
    return Fetched(target, url, url, Result.crawl_failed, datetime.now(UTC), link=link, message=cause)


def _known_from(values: dict[str, Any]) -> Known:
    workbooks = (KnownWorkbook(**workbook | {"link": link_from(workbook["link"])}) for workbook in values["workbooks"])
    return Known(**values | {"workbooks": tuple(workbooks)})


def main() -> None:
    """The process: a request in JSON on standard input, frames on standard output."""
    request = json.load(sys.stdin.buffer)
    settings = CrawlSettings(**request["settings"] | {"allowed_hosts": tuple(request["settings"]["allowed_hosts"])})
    # Unhandled, SIGALRM ends the process even where Python itself is stuck: nobody may be left to kill it.
    signal.setitimer(signal.ITIMER_REAL, settings.hard_limit_seconds + _GRACE_SECONDS)
    frames = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # so that no stray print lands among the frames
    _run(settings, _known_from(request["known"]), frames)
    # Every frame and every line of the log is flushed; to take Python apart would cost a tenth of the crawl.
    os._exit(0)


def _run(settings: CrawlSettings, known: Known, frames: IO[bytes]) -> None:
    # What is imported stays: to look for garbage among it again and again would cost another tenth.
    gc.disable()
    from scrapy import signals
    from scrapy.crawler import AsyncCrawlerProcess

    from scraper.spiders.agreements import AgreementsSpider

    gc.freeze()
    gc.enable()

    def keep(item: Fetched) -> None:
        write_frame(frames, item)

    process = AsyncCrawlerProcess(scrapy_settings(settings))
    crawler = process.create_crawler(AgreementsSpider)
    crawler.signals.connect(keep, signal=signals.item_scraped)
    process.crawl(crawler, known=known)
    process.start()


if __name__ == "__main__":
    main()
