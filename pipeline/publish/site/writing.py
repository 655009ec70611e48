"""The folder of a site: only what differs is written, only what an earlier run wrote is removed.

A manifest in the folder names every file that is ours. It is written first, with all that is going to be there, and
last, without what is gone: so a run that was killed leaves nothing that the next one does not know. Files are replaced
at one stroke and not synced to the disk: after a loss of power the next run finds what differs.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

MANIFEST = ".watch287g-site.json"
INCOMING = ".watch287g-incoming"
"""Where a file is written before it takes its place; a run that was killed leaves this one at most."""

_SCHEMA = 1


class SiteError(Exception):
    """The site cannot be written; the message is one sentence that says what to do."""


@dataclass
class Folder:
    """A folder with a site, or for one. `agencies` is what the manifest remembers: id -> its agreements."""

    path: Path
    files: frozenset[str]
    agencies: Mapping[str, Sequence[str]]
    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    _wanted: frozenset[str] = frozenset()

    def claim(self) -> None:
        """Make the folder, if need be, and mark it as a site's."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._note(self.files)

    def begin(self, wanted: Iterable[str], there: Iterable[str], agencies: Mapping[str, Sequence[str]]) -> None:
        """Say which files there are going to be, before any is written; `there` are those that others wrote for us.

        Raises:
            SiteError: a file that is not ours stands where one of them has to.
        """
        there = frozenset(there)
        self._wanted = there.union(wanted)
        self.agencies = dict(sorted(agencies.items()))
        for name in sorted(self._wanted - self.files - there):
            if os.path.lexists(self.path / name):
                raise SiteError(f"{self.path / name} is not of an earlier run; move it away or name another folder")
        self._note(self.files | self._wanted)

    def put(self, name: str, data: bytes) -> None:
        """Give a file this content, unless it has it."""
        if self._replace(name, data):
            self.written.append(name)

    def end(self) -> None:
        """Remove what an earlier run wrote and this one did not."""
        (self.path / INCOMING).unlink(missing_ok=True)
        for name in sorted(self.files - self._wanted):
            path = self.path / name
            if path.is_file() or path.is_symlink():
                path.unlink()
                self.removed.append(name)
            for parent in PurePosixPath(name).parents:
                with suppress(OSError):
                    if str(parent) != ".":
                        (self.path / parent).rmdir()
        self._note(self._wanted)

    def _replace(self, name: str, data: bytes) -> bool:
        path = self.path / name
        with suppress(FileNotFoundError, NotADirectoryError):
            if path.read_bytes() == data:
                return False
        path.parent.mkdir(parents=True, exist_ok=True)
        incoming = self.path / INCOMING
        incoming.write_bytes(data)
        incoming.replace(path)
        return True

    def _note(self, files: Iterable[str]) -> None:
        manifest = {"schema": _SCHEMA, "files": sorted(files), "agencies": self.agencies}
        self._replace(MANIFEST, (json.dumps(manifest, indent=0) + "\n").encode())


def open_folder(path: Path) -> Folder:
    """The folder of a site as an earlier run left it, or an empty one, or one that is not there yet.

    Raises:
        SiteError: it holds something, and no manifest of ours.
    """
    if path.exists() and not path.is_dir():
        raise SiteError(f"{path} is not a folder; name a folder for the site")
    manifest = path / MANIFEST
    if manifest.is_file():
        return _known(path, manifest)
    if path.is_dir() and any(path.iterdir()):
        raise SiteError(f"{path} is not empty and holds no site of an earlier run; name an empty or a new folder")
    return Folder(path, frozenset(), {})


def _known(path: Path, manifest: Path) -> Folder:
    try:
        found: Any = json.loads(manifest.read_text(encoding="utf-8"))
        files = frozenset(map(str, found["files"]))
        agencies = {str(key): tuple(map(str, value)) for key, value in found["agencies"].items()}
    except (ValueError, LookupError, TypeError, AttributeError):
        raise SiteError(f"{manifest} cannot be understood; remove the folder and write the site anew") from None
    if any(not _is_below(name) for name in files):
        raise SiteError(f"{manifest} names files outside its folder; remove the folder and write the site anew")
    return Folder(path, files, agencies)


def _is_below(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts
