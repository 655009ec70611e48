"""Who may import whom, read from the syntax trees: a layer that leaks is noticed here and not in a year."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("scraper", "db", "pipeline")
CORE = ("pipeline.reading", "pipeline.tracking", "pipeline.reports")
CORE_MAY_IMPORT = (*CORE, "pipeline.dating", "db.records")
IMPURE = frozenset(
    [
        "aiohttp",
        "asyncio",
        "concurrent",
        "filelock",
        "ftplib",
        "glob",
        "http",
        "httpx",
        "multiprocessing",
        "os",
        "pathlib",
        "queue",
        "random",
        "requests",
        "sched",
        "scrapy",
        "secrets",
        "select",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "socketserver",
        "sqlite3",
        "sqlite_utils",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "twisted",
        "urllib3",
        "yaml",
    ]
)
IMPURE_SUBMODULES = ("urllib.request", "urllib.error", "importlib.metadata")
CLOCK_CALLS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}
DISK_CALLS = {"open", "input", "print"}
REACTOR_WORDS = ("reactor", "asyncioreactor", "CrawlerProcess", "AsyncCrawlerProcess", "CrawlerRunner")


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the three packages, by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def imported(name: str, tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The modules that a module imports anywhere, late and for typing too, and the line."""
    package = name if (ROOT / Path(*name.split(".")) / "__init__.py").exists() else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield (whole if whole in modules() or whole in IMPURE_SUBMODULES else base), node.lineno


def within(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a module is one of these packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def imports_of(packages: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """(module, what it imports, line) for every module in these packages."""
    return [
        (name, target, line)
        for name, tree in modules().items()
        if within(name, packages)
        for target, line in imported(name, tree)
    ]


def test_the_trees_are_really_read() -> None:
    """A test that looks at nothing passes for ever."""
    assert {"scraper.crawl", "db.write", "pipeline.run", "pipeline.tracking.track", "pipeline.reading.workbook"} <= set(
        modules()
    )
    assert ("pipeline.run", "db.archive") in {(name, target) for name, target, _ in imports_of(("pipeline",))}
    assert ("pipeline.backfill", "pipeline.reading.workbook") in {
        (name, target) for name, target, _ in imports_of(("pipeline",))
    }


@pytest.mark.parametrize(
    ("package", "others"),
    [("scraper", ("db", "pipeline")), ("db", ("scraper", "pipeline"))],
)
def test_the_lower_packages_import_none_of_the_others(package: str, others: tuple[str, ...]) -> None:
    wrong = [found for found in imports_of((package,)) if within(found[1], others)]

    assert wrong == []


def test_the_core_does_not_import_the_shell() -> None:
    wrong = [
        found for found in imports_of(CORE) if within(found[1], PACKAGES) and not within(found[1], CORE_MAY_IMPORT)
    ]

    assert wrong == []


def test_reading_does_not_import_what_comes_after_it() -> None:
    wrong = [f for f in imports_of(("pipeline.reading",)) if within(f[1], ("pipeline.tracking", "pipeline.reports"))]

    assert wrong == []


def test_tracking_does_not_import_reports() -> None:
    wrong = [found for found in imports_of(("pipeline.tracking",)) if within(found[1], ("pipeline.reports",))]

    assert wrong == []


def test_dating_is_free_of_the_shell_too() -> None:
    wrong = [found for found in imports_of(("pipeline.dating",)) if within(found[1], PACKAGES)]

    assert wrong == []


def test_the_core_imports_no_clock_network_disk_or_database() -> None:
    wrong = [
        found
        for found in imports_of((*CORE, "pipeline.dating"))
        if found[1].partition(".")[0] in IMPURE or within(found[1], IMPURE_SUBMODULES)
    ]

    assert wrong == []


def test_the_core_does_not_ask_what_time_it_is_nor_open_a_file() -> None:
    wrong = []
    for name, tree in modules().items():
        if not within(name, (*CORE, "pipeline.dating")):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            match node.func:
                case ast.Attribute(value=ast.Name(id=owner), attr=called) if (owner, called) in CLOCK_CALLS:
                    wrong.append((name, f"{owner}.{called}", node.lineno))
                case ast.Name(id=called) if called in DISK_CALLS:
                    wrong.append((name, called, node.lineno))

    assert wrong == []


def test_the_vocabulary_imports_nothing_of_ours() -> None:
    assert [found for found in imports_of(("db.records",)) if within(found[1], PACKAGES)] == []


def test_only_the_crawl_starts_a_reactor() -> None:
    starters = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id in REACTOR_WORDS)
        or (isinstance(node, ast.Attribute) and node.attr in REACTOR_WORDS)
        or (isinstance(node, ast.alias) and node.name.rpartition(".")[2] in REACTOR_WORDS)
    }

    assert starters == {"scraper.crawl"}


def test_only_the_scraper_knows_scrapy() -> None:
    wrong = [
        f for f in imports_of(("db", "pipeline")) if f[1].partition(".")[0] in ("scrapy", "twisted", "itemadapter")
    ]

    assert wrong == []


def test_whoever_waits_for_a_crawl_does_not_pay_for_scrapy() -> None:
    """`scraper.crawl` imports Scrapy in the child process only; the caller's side is the standard library."""
    for name in ("scraper.crawl", "scraper.fetched", "scraper.settings", "scraper.frames"):
        at_once = [
            alias
            for node in modules()[name].body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names])
        ]
        assert not [alias for alias in at_once if alias.partition(".")[0] in ("scrapy", "twisted", "lxml")], name
