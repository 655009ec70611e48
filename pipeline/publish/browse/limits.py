"""What a question may cost, whatever SQL is typed in: the length of a value, the size of an answer, memory, time."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

VALUE_BYTES = 5_000_000
"""The longest value, row or index entry; a row of eight cells as long as the reader lets one be is below that."""

ANSWER_CHARACTERS = 20_000_000
"""What the values of one answer come to; 10,000 rows of any view are below that."""

MEMORY_BYTES = 512 * 1024 * 1024
"""What SQLite may take in the whole process; a question that needs more fails. SQLite lets it only be lowered."""

PATTERN_BYTES = 100
"""The longest pattern of `like` and `glob`: SQLite tries each at every place of the text."""

STEPS = 100
"""After how many steps of SQLite's the time limit is looked at: each step may work on a long value."""

_SET_CHARACTERS = 100
"""How many different characters `trim` may take away."""


class Cursor(sqlite3.Cursor):
    """A cursor whose answer ends in an error where it gets too large."""

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        """That many rows."""
        return list(_bounded(islice(self, size)))

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        return list(_bounded(self))


class Connection(sqlite3.Connection):
    """A connection with such cursors."""

    def cursor(self, factory: Any = Cursor) -> Any:
        """A cursor."""
        return super().cursor(factory)

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        """The rows of a statement."""
        return self.cursor().execute(sql, parameters)

    def set_progress_handler(self, progress_handler: Callable[[], int | None] | None, n: int) -> None:
        """Call the handler, by which Datasette's time limit works, often enough."""
        super().set_progress_handler(progress_handler, min(n, STEPS))


def limit(connection: sqlite3.Connection) -> None:
    """Set the limits that SQLite keeps itself, and replace functions whose time grows with the square of a length."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_BYTES)
    connection.execute(f"pragma hard_heap_limit = {MEMORY_BYTES}").fetchall()
    connection.create_function("instr", 2, _instr, deterministic=True)
    connection.create_function("replace", 3, _replace, deterministic=True)
    connection.create_function("trim", 2, _stripping(str.strip), deterministic=True)
    connection.create_function("ltrim", 2, _stripping(str.lstrip), deterministic=True)
    connection.create_function("rtrim", 2, _stripping(str.rstrip), deterministic=True)


def _bounded(rows: Iterable[Any]) -> Iterator[Any]:
    taken = 0
    for row in rows:
        taken += sum(len(value) for value in row if isinstance(value, str | bytes))
        if taken > ANSWER_CHARACTERS:
            raise sqlite3.OperationalError(
                f"the answer has more than {ANSWER_CHARACTERS // 1_000_000} million characters; ask for less of it"
            )
        yield row


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _instr(text: Any, part: Any) -> int | None:
    if text is None or part is None:
        return None
    if isinstance(text, bytes) and isinstance(part, bytes):
        return text.find(part) + 1
    return _text(text).find(_text(part)) + 1


def _replace(text: Any, part: Any, by: Any) -> Any:
    if text is None or part is None:
        return None
    whole, old = _text(text), _text(part)
    if not old:
        return whole if isinstance(text, bytes) else text
    if by is None:
        return None
    new = _text(by)
    if len(whole) + whole.count(old) * (len(new) - len(old)) > VALUE_BYTES:
        return _too_long()
    return whole.replace(old, new)


def _too_long() -> bytes:
    """What SQLite refuses as too big: an exception would become a traceback on the terminal."""
    return bytes(VALUE_BYTES + 1)


def _stripping(strip: Callable[[str, str], str]) -> Callable[[Any, Any], str | bytes | None]:
    def stripped(text: Any, characters: Any) -> str | bytes | None:
        if text is None or characters is None:
            return None
        these = "".join(set(_text(characters)))
        if len(these) > _SET_CHARACTERS:
            return _too_long()
        return strip(_text(text), these)

    return stripped
