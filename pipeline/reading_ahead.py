"""Raw files read ahead of their turn, in processes of their own where there are many: reading is half the work."""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from pathlib import Path

from db.archive import Archive
from pipeline.reading.workbook import Sheet, Unreadable, read

_WORTH_A_PROCESS = 24
"""With fewer files, starting processes costs more than it saves."""
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
    # Spawned, since a forked child would share the connection; they import nothing but the reader.
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        waiting: deque[tuple[str, Future[Sheet | Unreadable]]] = deque()
        rest = iter(workbooks)
        try:
            for sha256 in islice(rest, _AHEAD):
                waiting.append((sha256, pool.submit(_read, archive.root, sha256)))
            while waiting:
                sha256, future = waiting.popleft()
                yield sha256, future.result()
                for later in islice(rest, 1):
                    waiting.append((later, pool.submit(_read, archive.root, later)))
        finally:
            pool.shutdown(cancel_futures=True)


def _read(root: Path, sha256: str) -> Sheet | Unreadable:
    try:
        return read(Archive(root).get(sha256))
    except Unreadable as error:
        return error
