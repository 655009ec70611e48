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
from pipeline.reports import evidence_note, never_listed
from pipeline.reports.cited import Answer, Citation, Copy, Never, Several

NOTE = "README.txt"
SUMS = "SHA256SUMS"
LISTS = "lists.csv"
_OURS = (NOTE, SUMS, LISTS, "citation.txt", "citation.json", "citation.bib")
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


def write(folder: Path, answer: Answer, archive: Archive, version: str) -> None:
    """Write the evidence for an answer into a new folder, completely or not at all.

    For several agreements there is a folder for each in it, named by its id.

    Raises:
        CannotWrite: the folder is there and not empty, cannot be written, or a workbook cannot be read.
        ArchiveError: a workbook is missing from the archive, or damaged.
    """
    if (folder.exists() and not folder.is_dir()) or (folder.is_dir() and any(folder.iterdir())):
        raise CannotWrite(f"{folder} is there already, and stays as it is; name a new folder")
    if not folder.absolute().parent.is_dir():
        raise CannotWrite(f"there is no folder {folder.absolute().parent} to write {folder.name} into")
    contents = _all_contents(answer, archive, version)
    try:
        _write_whole(folder.absolute(), contents)
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be written: {error.strerror or error}") from error


def _all_contents(answer: Answer, archive: Archive, version: str) -> dict[str, bytes]:
    """Path below the folder -> content."""
    if isinstance(answer, Citation):
        return _contents(answer, archive, version)
    if isinstance(answer, Never):
        return _of_never(answer, archive, version)
    return _of_several(answer, archive, version)


def _of_several(several: Several, archive: Archive, version: str) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    for citation in several.citations:
        ident = citation.asked.agreement_id or ""
        contents |= {f"{ident}/{name}": data for name, data in _contents(citation, archive, version).items()}
    contents[NOTE] = evidence_note.render_several(several, version).encode()
    contents[SUMS] = _sums(contents)
    return contents


def _of_never(never: Never, archive: Archive, version: str) -> dict[str, bytes]:
    """The last list, and the names and hashes of all: hundreds of workbooks would be a copy of the archive."""
    sha256 = never.newest.workbook_sha256
    name = file_names([(sha256, never.newest.workbook_name)])[sha256]
    raw = archive.get(sha256)
    texts = {
        NOTE: evidence_note.render_never(never, _copy(name, raw), version),
        LISTS: never_listed.lists_csv(never),
        "citation.txt": never_listed.text(never) + "\n",
        "citation.json": never_listed.json(never, version) + "\n",
        "citation.bib": never_listed.bibtex(never, version),
    }
    contents = {name: raw} | {path: text.encode() for path, text in texts.items()}
    contents[SUMS] = _sums(contents)
    return contents


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
            (partial / name).parent.mkdir(exist_ok=True)
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
