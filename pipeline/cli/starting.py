"""`init`: a commented config.yaml and a folder for the data, in the platform's places or in one folder."""

import json
import os
import re
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from shlex import quote

import click

from pipeline.cli.context import Code, Context, Failure, say

_NAME = "watch287g"
_FILE = "config.yaml"
_PLAIN = re.compile(r"[\w/.-]+")


@dataclass(frozen=True, slots=True)
class Places:
    """The folder of config.yaml and that of the data."""

    config: Path
    data: Path


def of_the_user() -> Places:
    """Where the platform keeps a user's settings and data: on Linux ~/.config and ~/.local/share."""
    from platformdirs import user_config_path, user_data_path

    return Places(user_config_path(_NAME, appauthor=False), user_data_path(_NAME, appauthor=False))


def of_the_site() -> Places:
    """Where they are for the whole machine: on Linux /etc/watch287g and /var/lib/watch287g."""
    from platformdirs import site_config_path, site_data_path

    if sys.platform == "linux":
        return Places(Path("/etc") / _NAME, Path("/var/lib") / _NAME)
    return Places(site_config_path(_NAME, appauthor=False), site_data_path(_NAME, appauthor=False))


def found_config() -> Path | None:
    """The config file in use where none is named: that of this folder, else the user's, else the site's."""
    here = Path(_FILE)
    if here.is_file():
        return here
    known = (of_the_user().config / _FILE, of_the_site().config / _FILE)
    return next((path for path in known if os.access(path, os.R_OK) and path.is_file()), None)


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.pass_context
def init(ctx: click.Context, folder: Path | None) -> None:
    """Write a commented config.yaml, make the folder for the data, and check both.

    With DIR everything is in it, and it can be moved as a whole. Without, the config is where the platform keeps a
    user's settings (~/.config/watch287g) and the data where it keeps a user's data (~/.local/share/watch287g); for root
    those are /etc/watch287g and /var/lib/watch287g. `watch287g` finds both from any folder.

    What is there is never overwritten. The data are for their owner alone.
    """
    context: Context = ctx.obj
    if context.database is not None or context.config_file is not None:
        raise click.UsageError("init takes a folder, not --db or --config")
    site = folder is None and hasattr(os, "geteuid") and os.geteuid() == 0
    places = Places(folder, folder / "data") if folder else of_the_site() if site else of_the_user()
    config = _write(places, relative=folder is not None, mode=0o644 if site else 0o600)
    say(f"written: {config}")
    say(f"data:    {places.data}")
    ctx.obj = Context(None, config)
    from pipeline.cli.keeping import check_config

    ctx.invoke(check_config)
    named = "" if found_config() == config or _is_here(config) else f" --config {quote(str(config))}"
    say("Next: set `source.contact`, and channels for the operators, in that file. Then:")
    for command in ("check", "alerts test operators", "run"):
        say(f"  watch287g{named} {command}")


def _is_here(config: Path) -> bool:
    return config.absolute().parent == Path.cwd()


def _write(places: Places, *, relative: bool, mode: int) -> Path:
    """Write the config and make the folders; what fails leaves no config.

    Raises:
        Failure: there is a config already, or a folder cannot be made.
    """
    config = places.config / _FILE
    text = shipped() if relative else with_data_in(shipped(), places.data)
    if config.exists():
        raise _there_already(config)
    try:
        places.config.mkdir(mode=0o755 if mode & 0o044 else 0o700, parents=True, exist_ok=True)
        places.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(config, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
        except BaseException:
            config.unlink()
            raise
    except FileExistsError as error:
        if error.filename is not None and Path(error.filename) != config:
            raise Failure(f"{error.filename} is in the way; name another folder") from None
        raise _there_already(config) from None
    except OSError as error:
        where = error.filename or config
        raise Failure(f"{where}: {error.strerror or error}; name a folder that you may write to") from None
    return config


def _there_already(config: Path) -> Failure:
    return Failure(f"{config} is there already, and stays as it is; name another folder", Code.USAGE)


def shipped() -> str:
    """The config.yaml that ships with the program: every key, its default, and what it is for."""
    return resources.files("pipeline").joinpath(_FILE).read_text(encoding="utf-8")


def with_data_in(text: str, data: Path) -> str:
    """The same with the paths below `data/` in another folder."""

    def moved(found: re.Match[str]) -> str:
        path = str(data / found[2])
        return f"{found[1]}{path if _PLAIN.fullmatch(path) else json.dumps(path, ensure_ascii=False)}"

    return re.sub(r"^( +\w+: )data/(\S+)$", moved, text, flags=re.MULTILINE)
