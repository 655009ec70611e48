"""A folder of evidence for a citation: the workbooks as ICE published them, checksums, and a note to follow."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from db.archive import Archive
from db.connect import sync
from pipeline.reading import workbook
from pipeline.reading.workbook import Hidden, Sheet, Unreadable
from pipeline.reading.worksheet import column_letters
from pipeline.reports import citation as renderer
from pipeline.reports import evidence_note
from pipeline.reports.cited import Citation, Copy

NOTE = "README.txt"
SUMS = "SHA256SUMS"
_OURS = (NOTE, SUMS, "citation.txt", "citation.json", "citation.bib")
_UNSAFE = re.compile(r"[^\w .()+-]|[^\x20-\x7e]")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
_LONGEST = 100

_COLUMNS = {
    "state": "STATE",
    "agency": "LAW ENFORCEMENT AGENCY",
    "type": "TYPE",
    "county": "COUNTY",
    "model": "SUPPORT TYPE",
    "signed": "SIGNED",
    "moa": "MOA",
    "addendum": "ADDENDUM",
}


class CannotWrite(Exception):  # noqa: N818 - what the user is told
    """The folder cannot be written; the message is one sentence."""


def write(folder: Path, citation: Citation, archive: Archive, version: str) -> None:
    """Write the evidence for a citation into a new folder, completely or not at all.

    Raises:
        CannotWrite: the folder is there and not empty, cannot be written, or a workbook cannot be read.
        ArchiveError: a workbook is missing from the archive, or damaged.
    """
    if (folder.exists() and not folder.is_dir()) or (folder.is_dir() and any(folder.iterdir())):
        raise CannotWrite(f"{folder} is there already, and stays as it is; name a new folder")
    if not folder.absolute().parent.is_dir():
        raise CannotWrite(f"there is no folder {folder.absolute().parent} to write {folder.name} into")
    contents = _contents(citation, archive, version)
    try:
        _write_whole(folder.absolute(), contents)
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be written: {error.strerror or error}") from error


def _contents(citation: Citation, archive: Archive, version: str) -> dict[str, bytes]:
    """File name -> content of all that belongs into the folder."""
    names = file_names((shown.workbook_sha256, shown.workbook_name) for shown, _ in citation.workbooks())
    raw = {sha256: archive.get(sha256) for sha256 in names}
    copies = {sha256: _copy(names[sha256], data) for sha256, data in raw.items()}
    contents = {names[sha256]: data for sha256, data in raw.items()}
    texts = {
        NOTE: evidence_note.render(citation, copies, version),
        "citation.txt": renderer.text(citation) + "\n",
        "citation.json": renderer.json(citation, version) + "\n",
        "citation.bib": renderer.bibtex(citation, version),
    }
    contents |= {name: text.encode() for name, text in texts.items()}
    contents[SUMS] = _sums(contents)
    return contents


def file_names(workbooks: Iterable[tuple[str, str]]) -> dict[str, str]:
    """SHA-256 -> the name of its file here: ICE's own, made harmless; of two that are the same, both say their hash."""
    plain = {sha256: _harmless(name) for sha256, name in workbooks}
    taken = [name.casefold() for name in (*plain.values(), *_OURS)]
    return {
        sha256: name if taken.count(name.casefold()) == 1 else f"{name.removesuffix('.xlsx')}-{sha256[:12]}.xlsx"
        for sha256, name in plain.items()
    }


def _harmless(name: str) -> str:
    stem = _UNSAFE.sub("_", name)
    stem = stem[: -len(".xlsx")] if stem.lower().endswith(".xlsx") else stem
    stem = stem[:_LONGEST].strip(" .-") or "workbook"
    return f"{'_' if _RESERVED.fullmatch(stem.partition('.')[0]) else ''}{stem}.xlsx"


def _copy(name: str, data: bytes) -> Copy:
    try:
        sheet = workbook.read(data)
        letters = _letters(data, sheet)
    except Unreadable as error:
        raise CannotWrite(f"{name} cannot be read: {error}") from error
    rows = [row.row for row in sheet.rows] or [sheet.header_row]
    hidden = frozenset(row.row for row in sheet.rows if row.hidden is Hidden.BY_FILTER)
    return Copy(name, sheet.title, sheet.header_row, letters, (rows[0], rows[-1]), hidden)


def _letters(data: bytes, sheet: Sheet) -> Mapping[str, str]:
    """ICE's column -> its letter, from the header row."""
    for title, _, worksheet in workbook.sheets(data):
        if title != sheet.title:
            continue
        header = next((row for row in worksheet.rows() if row.number == sheet.header_row), None)
        printed = {str(value): column_letters(column) for column, value in (header.cells if header else {}).items()}
        return {_COLUMNS[field]: printed[text] for field, text in sheet.columns.items() if text in printed}
    return {}


def _sums(contents: Mapping[str, bytes]) -> bytes:
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(contents.items())]
    return "".join(lines).encode()


def _write_whole(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write a folder beside its place and move it there when it is whole."""
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        for name, data in contents.items():
            (partial / name).write_bytes(data)
            sync(partial / name)
        sync(partial)
        if folder.is_dir():
            folder.rmdir()
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    sync(folder.parent)
