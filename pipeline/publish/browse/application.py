"""A Datasette over the history: for reading only, described by the dictionary, with the recipes as its queries."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm
from datasette.utils import detect_primary_keys, get_outbound_foreign_keys

from db.connect import HistoryError, is_damage
from pipeline.publish.browse import plugin
from pipeline.publish.browse.hosts import names
from pipeline.publish.browse.limits import Connection
from pipeline.publish.browse.metadata import NAME, metadata
from pipeline.publish.browse.plugin import READABLE
from pipeline.publish.browse.values import values

HERE = Path(__file__).parent

THREADS = 10
"""How many questions are asked at a time, so that a few slow ones do not keep all others waiting."""

SETTINGS = {
    "allow_download": False,  # the file also holds who is told what
    "allow_csv_stream": False,  # it asks for page after page of a view, each from the start: minutes for all listings
    "max_returned_rows": 10_000,
    "sql_time_limit_ms": 2000,
    "facet_time_limit_ms": 1000,
    "suggest_facets": False,  # the metadata names those that say something
    "truncate_cells_html": 500,
}


class History(Database):  # type: ignore[misc]
    """The history as Datasette's connections have it: never for writing, whatever may write beside it.

    Datasette is told no path, which it would tell whoever asks.
    """

    def __init__(self, datasette: Datasette, file: Path) -> None:
        super().__init__(datasette)
        self._file = file.absolute()

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._file.stat().st_size

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """A connection for one of Datasette's threads."""
        if write:
            raise PermissionError("the history is open for reading only")
        connection = sqlite3.connect(
            f"{self._file.as_uri()}?mode=ro", uri=True, check_same_thread=False, factory=Connection
        )
        self._all_file_connections.append(connection)
        return connection

    async def execute(self, *args: Any, **named: Any) -> Any:
        """Rows; what is wrong with a question is an error that Datasette answers as such."""
        try:
            return await super().execute(*args, **named)
        except MemoryError as error:
            raise sqlite3.OperationalError("that needs too much memory; ask for less") from error
        except (sqlite3.DatabaseError, OverflowError) as error:
            if is_damage(error) or isinstance(error, sqlite3.OperationalError):
                raise
            raise sqlite3.OperationalError(str(error)) from error

    async def table_names(self) -> list[str]:
        """The tables that can be asked for."""
        return [name for name in await super().table_names() if name in READABLE]

    async def label_column_for_table(self, table: str) -> str | None:
        """What stands for a row that another refers to; for an agency its id, as its name is a text of ICE's cells."""
        label: str | None = None if table == "agency" else await super().label_column_for_table(table)
        return label

    async def foreign_keys_for_table(self, table: str) -> list[dict[str, str]]:
        """What the table's columns refer to."""
        keys: list[dict[str, str]] = await self.execute_fn(lambda connection: _foreign_keys(connection, table))
        return keys

    async def get_all_foreign_keys(self) -> dict[str, dict[str, list[dict[str, str]]]]:
        """Table -> what it refers to, and what refers to it."""
        outgoing = {name: await self.foreign_keys_for_table(name) for name in await self.table_names()}
        incoming: dict[str, list[dict[str, str]]] = {name: [] for name in outgoing}
        for name, keys in outgoing.items():
            for key in keys:
                incoming[key["other_table"]].append(
                    {"other_table": name, "column": key["other_column"], "other_column": key["column"]}
                )
        return {name: {"incoming": incoming[name], "outgoing": outgoing[name]} for name in outgoing}


def _foreign_keys(connection: sqlite3.Connection, table: str) -> list[dict[str, str]]:
    """A key that names no column means the primary key; SQLite says null there, for which Datasette has no case."""
    return [
        key | {"other_column": key["other_column"] or detect_primary_keys(connection, key["other_table"])[0]}
        for key in get_outbound_foreign_keys(connection, table)
        if key["other_table"] in READABLE
    ]


def application(
    database: Path, link_hosts: Collection[str], threads: int = THREADS, host: str = "127.0.0.1"
) -> Datasette:
    """The Datasette; cells link to addresses on these hosts, and below them, only.

    Args:
        host: the address or name that it listens on. A request must ask for that or for this computer; for any name,
            if it is 0.0.0.0 or ::.

    Raises:
        HistoryError: the database cannot be read beside a writer.
    """
    if not pm.is_registered(plugin):
        pm.register(plugin)
    # With rich, each wrong address would fill the terminal with a traceback.
    pm.get_plugin("datasette.handle_exception").rich = None
    datasette = Datasette(
        metadata=metadata(link_hosts, _values(database), names(host)),
        template_dir=str(HERE / "templates"),
        static_mounts=[("watch287g", str(HERE / "static"))],
        settings=SETTINGS | {"num_sql_threads": threads},
    )
    datasette.add_database(History(datasette, database), name=NAME)
    datasette.remove_database("_memory")
    return datasette


def _values(database: Path) -> dict[str, dict[str, str]]:
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return values(connection)
    except sqlite3.OperationalError as error:
        raise HistoryError(
            f"{database}: {error}; to browse it while the program may write to it, its folder must be writable:"
            " browse a copy, made by `watch287g backup`"
        ) from error
