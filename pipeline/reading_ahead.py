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
from itertools import islice
from multiprocessing import connection
from pathlib import Path

from db.archive import Archive
from pipeline.reading.workbook import Sheet, Unreadable, read

_WORTH_A_PROCESS = 24
"""With fewer files, a process costs more than it saves."""
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
    # Forked where that is safe: a spawned process takes as long to start as fifty lists to read.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(1, context, initializer=_end_with_parent) as pool:
        waiting: deque[tuple[str, Future[Sheet | Unreadable] | None]] = deque()
        rest = iter(workbooks)
        try:
            for sha256 in islice(rest, _AHEAD):
                waiting.append((sha256, _submit(pool, archive.root, sha256)))
            while waiting:
                sha256, future = waiting.popleft()
                yield sha256, _result(future, archive.root, sha256)
                for later in islice(rest, 1):
                    waiting.append((later, _submit(pool, archive.root, later)))
        finally:
            pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, root: Path, sha256: str) -> "Future[Sheet | Unreadable] | None":
    try:
        return pool.submit(_read, root, sha256)
    except BrokenProcessPool:
        return None


def _result(future: "Future[Sheet | Unreadable] | None", root: Path, sha256: str) -> Sheet | Unreadable:
    """A worker that the system has killed (for its memory) is done without."""
    try:
        return future.result() if future is not None else _read(root, sha256)
    except BrokenProcessPool:
        return _read(root, sha256)


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
