"""The files that can be downloaded, written in a process of their own while the pages are made: half of the work."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from db.connect import open_readonly
from pipeline.publish.exports import Written, write_all

_STATE = """
select (select max(id) from publication), (select count(*) from event), (select max(status_changed_at) from event),
       (select max(id) from "check"), (select max(decided_at) from operator_verdict),
       (select group_concat(value) from setting where name in ('corrections', 'annotated', 'places'))
"""
"""What differs when the history has changed."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that can be downloaded: its path below the site's root and its size in words."""

    path: str
    name: str
    size: str


@contextmanager
def downloads(
    connection: sqlite3.Connection, folder: Path, link_hosts: tuple[str, ...]
) -> Iterator[Callable[[], tuple[list[File], int]]]:
    """Begin to write the files into `folder`, named data; the function that it gives waits for them.

    It gives the files, and how many differed. They are of the moment of the connection's transaction.
    """
    database = connection.execute("pragma database_list").fetchone()[2]
    if not database or (os.cpu_count() or 1) < 2:
        yield lambda: _described(write_all(connection, folder, link_hosts=link_hosts))
        return
    # Never forked: SQLite does not let a process open a database that was open when it was forked.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        future = pool.submit(_write, Path(database), folder, link_hosts)

        def wait() -> tuple[list[File], int]:
            try:
                state, written = future.result()
            except BrokenProcessPool:  # the system has killed it for its memory
                state, written = None, []
            if state != _state(connection):
                written = write_all(connection, folder, link_hosts=link_hosts)
            return _described(written)

        yield wait


def _write(database: Path, folder: Path, link_hosts: tuple[str, ...]) -> tuple[tuple[object, ...], list[Written]]:
    with closing(open_readonly(database)) as connection:
        connection.execute("savepoint downloads")
        return _state(connection), write_all(connection, folder, link_hosts=link_hosts)


def _state(connection: sqlite3.Connection) -> tuple[object, ...]:
    return tuple(connection.execute(_STATE).fetchone())


def _described(written: list[Written]) -> tuple[list[File], int]:
    files = [File(f"data/{one.name}", one.name, _size(one.bytes)) for one in written]
    return files, sum(one.changed for one in written)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{max(size / 1e3, 0.1):.1f} kB"
