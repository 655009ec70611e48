"""A folder of dated reports: each message as Markdown, HTML and JSON.

The names are made of the message's time and id, so that a message that is written again gives the same files. The JSON
file is written last: where it is, the other two are, and whole.
"""

import os
from contextlib import suppress
from pathlib import Path

from pipeline.notify.channels.attempt import Unavailable
from pipeline.reports.messages import data, html, markdown
from pipeline.reports.messages.content import Message


class FolderChannel:
    """Writes into one folder, and makes it where there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.lane, self.pause = f"folder:{folder}", 0.0

    def send(self, message: Message) -> str:
        """Write the three files; returns the name that they share.

        Raises:
            NotSent: a file could not be written.
        """
        stem = f"{_compact(message.made_at)}-{message.id}"
        contents = {
            f"{stem}.md": markdown.render(message),
            f"{stem}.html": html.render(message, None),
            f"{stem}.json": data.document(message),
        }
        path = self._folder
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name, content in contents.items():
                path = self._folder / name
                _write(path, content.encode())
        except OSError as error:
            raise Unavailable(f"{path}: {error.strerror or type(error).__name__}") from None
        return f"written as {stem}"


def _compact(made_at: str) -> str:
    """`2025-06-27T14:00:00Z` as `20250627T140000Z`."""
    return "".join(character for character in made_at.replace("+00:00", "Z") if character.isalnum())


def _write(path: Path, content: bytes) -> None:
    """Write the whole file or none of it; what a kill leaves behind, the next attempt writes over."""
    temporary = path.with_name(f".{path.name}.incoming")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
