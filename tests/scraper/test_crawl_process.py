"""Whatever becomes of the crawl's process, its caller gets values, in time, and nothing on the screen."""

from __future__ import annotations

import os
import select
import signal
import ssl
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from synthetic import HTML, WORKBOOK, page

from pipeline.demo.server import Answer, Behaviour, Site
from scraper.crawl import crawl, start
from scraper.fetched import Result
from scraper.settings import CrawlSettings, Known, KnownWorkbook

Settings = Callable[..., CrawlSettings]

linux = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="looks at processes as Linux has them")


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_a_hanging_site_ends_within_the_limit_and_keeps_what_had_come(site: Site, settings: Settings) -> None:
    site.pages["/287g"] = page("/p1.xlsx", "/p2.xlsx", "/p3.xlsx")
    site.pages |= {"/p1.xlsx": Answer(body=WORKBOOK), "/p2.xlsx": Answer(behaviour=Behaviour.hang)}
    site.pages["/p3.xlsx"] = Answer(body=WORKBOOK, behaviour=Behaviour.stall)

    begun = time.monotonic()
    fetched = crawl(settings(timeout_seconds=600.0, hard_limit_seconds=2.5))

    assert time.monotonic() - begun < 4
    assert [one.result for one in fetched] == [Result.ok, Result.ok, Result.crawl_failed, Result.crawl_failed]
    assert fetched[2].message == "not done within the crawl's limit of 2.5 s"
    assert fetched[2].link == fetched[0].links[1]


def test_a_killed_process_is_a_failure_of_the_page(site: Site, settings: Settings) -> None:
    site.pages["/287g"] = Answer(behaviour=Behaviour.hang)

    with start(settings()) as running:
        assert site.wait_for("/287g")
        os.kill(running.pid, signal.SIGKILL)
        (fetched,) = running.wait()

    assert fetched.result is Result.crawl_failed
    assert fetched.message == "the crawl's process was killed by signal 9"


def test_a_killed_process_is_a_failure_of_the_known_workbooks_too(site: Site, settings: Settings) -> None:
    site.pages["/287g"] = Answer(200, {**page().headers, "ETag": '"1"'}, page("/p.xlsx").body)
    site.pages["/p.xlsx"] = [Answer(body=WORKBOOK), Answer(behaviour=Behaviour.hang)]
    _, workbook = crawl(settings())
    assert workbook.link is not None
    site.requests.clear()

    with start(settings(), Known('"1"', None, (KnownWorkbook(workbook.link),))) as running:
        assert site.wait_for("/p.xlsx")
        os.kill(running.pid, signal.SIGKILL)
        fetched = running.wait()

    assert [one.result for one in fetched] == [Result.not_modified, Result.crawl_failed]


def test_a_process_that_cannot_begin_says_why(settings: Settings, tmp_path: Path) -> None:
    (fetched,) = crawl(settings(log_file=str(tmp_path / "missing" / "crawl.log")))

    assert fetched.result is Result.crawl_failed
    assert "ended with code 1: FileNotFoundError" in fetched.message


def test_a_crawl_that_is_left_early_is_stopped(site: Site, settings: Settings) -> None:
    site.pages["/287g"] = Answer(behaviour=Behaviour.hang)

    with start(settings()) as running:
        pass

    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


@linux
def test_a_process_whose_parent_died_does_not_outlive_its_limit(site: Site) -> None:
    site.pages["/287g"] = Answer(behaviour=Behaviour.hang)
    parent = """
        import os, sys
        from scraper.crawl import start
        from scraper.settings import CrawlSettings
        crawl = start(CrawlSettings(page_url=sys.argv[1], allowed_hosts=("127.0.0.1",), user_agent="t",
                                    timeout_seconds=600, hard_limit_seconds=1))
        print(crawl.pid, flush=True)
        os._exit(0)
    """

    orphan = os.pidfd_open(int(run(parent, site.url + "/287g").stdout))
    ended, _, _ = select.select([orphan], [], [], 10)
    os.close(orphan)

    assert ended


@linux
def test_a_crawl_listens_on_no_port(site: Site, settings: Settings) -> None:
    site.pages["/287g"] = Answer(behaviour=Behaviour.hang)
    with start(settings()) as running:
        assert site.wait_for("/287g")
        descriptors = Path(f"/proc/{running.pid}/fd")
        open_files = {str(descriptor.readlink()) for descriptor in descriptors.iterdir()}
        rows = [
            line.split() for table in ("tcp", "tcp6") for line in Path("/proc/net", table).read_text().splitlines()[1:]
        ]

    assert any(f"socket:[{row[9]}]" in open_files for row in rows)
    assert not [row for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in open_files]


CRAWL = """
    import sys
    from scraper.crawl import crawl
    from scraper.settings import CrawlSettings
    crawl(CrawlSettings(page_url=sys.argv[1], allowed_hosts=("127.0.0.1",), user_agent="t", delay_seconds=0,
                        log_file=sys.argv[2] if len(sys.argv) > 2 else None, log_level="DEBUG"))
    heavy = {"scrapy", "twisted", "lxml", "parsel", "w3lib", "asyncio"} & set(sys.modules)
    assert not heavy, heavy
"""


def test_scrapys_log_goes_to_the_log_and_not_to_the_screen(site: Site, tmp_path: Path) -> None:
    site.pages |= {"/287g": page("/p.xlsx", "http://localhost/p.xlsx"), "/p.xlsx": Answer(body=WORKBOOK)}
    log = tmp_path / "crawl.log"

    silent, logged = run(CRAWL, site.url + "/287g"), run(CRAWL, site.url + "/287g", str(log))

    assert (silent.stdout, silent.stderr) == ("", "")
    assert (logged.stdout, logged.stderr) == ("", "")
    written = log.read_text()
    assert "Crawled (200)" in written
    assert "xl/workbook.xml" not in written


def test_another_package_named_scraper_in_the_working_folder_is_not_run(
    site: Site, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scraper").mkdir()
    (tmp_path / "scraper" / "__init__.py").write_text("raise SystemExit('an intruder')")
    (tmp_path / "scrapy.py").write_text("raise SystemExit('an intruder')")
    monkeypatch.chdir(tmp_path)
    site.pages["/287g"] = Answer(body=HTML)

    assert [one.result for one in crawl(settings())] == [Result.no_links]


def test_a_certificate_that_nobody_vouches_for_is_refused(site: Site, settings: Settings, tmp_path: Path) -> None:
    site.pages["/287g"] = page("/p.xlsx")
    site.encrypt(self_signed(tmp_path))

    (fetched,) = crawl(settings(page_url=site.url + "/287g", retries=0))

    assert fetched.result is Result.refused
    assert "certificate verify failed" in fetched.message
    assert not site.requests


def self_signed(folder: Path) -> ssl.SSLContext:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    certificate = builder.sign(key, hashes.SHA256())
    pem = folder / "site.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
