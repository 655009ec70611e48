"""Raw files read ahead of their turn, in a process of its own where there are many: reading is half the work."""

import gc
import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import islice
from multiprocessing import connection
from pathlib import Path

from db.archive import Archive
from pipeline.reading.workbook import Hidden, RawRow, Sheet, Unreadable, Value, read

_WORTH_A_PROCESS = 24
"""With fewer files, a process costs more than it saves."""
Content = tuple[tuple[Value, ...], str | None, str | None]
"""What a row says, without its number."""
_AHEAD = 8
"""Sheets that wait at most, so that memory does not grow with the archive."""


def sheets(archive: Archive, workbooks: Sequence[str]) -> Iterator[tuple[str, Sheet | Unreadable]]:
    """Each workbook's SHA-256 with its sheet, or why it has none, in the order given.

    Raises:
        ArchiveError: a file is missing or damaged.
    """
    if len(workbooks) < _WORTH_A_PROCESS or (os.cpu_count() or 1) < 2:
        for sha256 in workbooks:
            yield sha256, _read(archive.root, sha256)
        return
    # Forked where that is safe: a spawned process takes as long to start as fifty lists to read. A progress bar is a
    # thread of its own, and a fork beside threads is not.
    alone = sys.platform == "linux" and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if alone else "spawn")
    with ProcessPoolExecutor(1, context, initializer=_end_with_parent) as pool:
        contents: dict[int, Content] = {}
        waiting: deque[tuple[str, Future[_Packed] | None]] = deque()
        rest = iter(workbooks)
        try:
            for sha256 in islice(rest, _AHEAD):
                waiting.append((sha256, _submit(pool, archive.root, sha256)))
            while waiting:
                sha256, future = waiting.popleft()
                yield sha256, _result(future, archive.root, sha256, contents)
                for later in islice(rest, 1):
                    waiting.append((later, _submit(pool, archive.root, later)))
        finally:
            pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, root: Path, sha256: str) -> "Future[_Packed] | None":
    try:
        return pool.submit(_pack, root, sha256)
    except BrokenProcessPool:
        return None


def _result(
    future: "Future[_Packed] | None", root: Path, sha256: str, contents: dict[int, Content]
) -> Sheet | Unreadable:
    """A worker that the system has killed (for its memory) is done without."""
    try:
        packed = future.result() if future is not None else None
    except BrokenProcessPool:
        packed = None
    if packed is None:
        return _read(root, sha256)
    if isinstance(packed, Unreadable):
        return packed
    sheet, rows, fresh = packed
    contents |= fresh
    return replace(sheet, rows=tuple(RawRow(row, hidden, *contents[number]) for row, hidden, number in rows))


_numbers: dict[Content, int] = {}
"""In the worker: the rows that have been sent, by what they say. A list repeats nearly all rows of the one before."""
_Packed = tuple[Sheet, list[tuple[int, Hidden, int]], dict[int, Content]] | Unreadable


def _pack(root: Path, sha256: str) -> _Packed:
    """A sheet without its rows, the rows as numbers, and what each number that is new says."""
    sheet = _read(root, sha256)
    if isinstance(sheet, Unreadable):
        return sheet
    fresh: dict[int, Content] = {}
    rows = []
    for row in sheet.rows:
        content = row[2:]
        number = _numbers.get(content)
        if number is None:
            number = _numbers[content] = len(_numbers)
            fresh[number] = content
        rows.append((row.row, row.hidden, number))
    return replace(sheet, rows=()), rows, fresh


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever. Its sheets are not cyclic: no collector."""
    gc.disable()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (connection.wait([parent.sentinel]), os._exit(1)), daemon=True).start()


def _read(root: Path, sha256: str) -> Sheet | Unreadable:
    try:
        return read(Archive(root).get(sha256))
    except Unreadable as error:
        return error
