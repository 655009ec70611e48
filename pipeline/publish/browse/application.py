"""A Datasette over the history: for reading only, described by the dictionary, with the recipes as its queries."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm

from db.connect import HistoryError
from pipeline.publish.browse import plugin
from pipeline.publish.browse.metadata import NAME, WITHHELD, metadata
from pipeline.publish.browse.values import values

HERE = Path(__file__).parent

SETTINGS = {
    "allow_download": False,  # the file also holds who is told what
    "allow_csv_stream": False,  # it asks for page after page of a view, each from the start: minutes for all listings
    "max_returned_rows": 10_000,
    "sql_time_limit_ms": 3000,
    "facet_time_limit_ms": 1000,
    "suggest_facets": False,  # the metadata names those that say something
    "truncate_cells_html": 500,
}


class History(Database):  # type: ignore[misc]
    """The history as Datasette's connections have it: never for writing, whatever may write beside it."""

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """A connection for one of Datasette's threads."""
        if write:
            raise PermissionError("the history is open for reading only")
        connection = sqlite3.connect(
            f"{Path(self.path).absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False
        )
        self._all_file_connections.append(connection)
        return connection

    async def table_names(self) -> list[str]:
        """The tables that can be asked for."""
        return [name for name in await super().table_names() if name not in WITHHELD]


def application(database: Path, link_hosts: Collection[str], threads: int = 3) -> Datasette:
    """The Datasette; cells link to addresses on these hosts, and below them, only.

    Raises:
        HistoryError: the database cannot be read beside a writer.
    """
    if not pm.is_registered(plugin):
        pm.register(plugin)
    # With rich, each wrong address would fill the terminal with a traceback.
    pm.get_plugin("datasette.handle_exception").rich = None
    datasette = Datasette(
        metadata=metadata(link_hosts, _values(database)),
        template_dir=str(HERE / "templates"),
        static_mounts=[("watch287g", str(HERE / "static"))],
        settings=SETTINGS | {"num_sql_threads": threads},
    )
    datasette.add_database(History(datasette, path=str(database)), name=NAME)
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
