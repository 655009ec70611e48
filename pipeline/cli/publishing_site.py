"""`site`: the history as web pages."""

from pathlib import Path

import click

from pipeline.cli.context import Code, Context, Failure, say


def _address(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    from pipeline.config import Site

    try:
        return Site(url=value).url
    except ValueError:
        raise click.BadParameter(
            "must be the http or https address of a folder, such as https://example.org/287g/"
        ) from None


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--url", callback=_address, help="The address at which DIR will be served; else site.url of the config.")
@click.pass_obj
def site(context: Context, folder: Path | None, url: str | None) -> None:
    """Write the history as web pages into a folder that any web host can serve: DIR, else site.folder of the config.

    A page for each state, agency and month of changes, in English and Spanish, with data files and feeds; no scripts.
    The links are relative: a folder of a host will do, and so does opening index.html. Only files that differ are
    written, only those of an earlier run removed; DIR must be empty, new, or of an earlier run.
    """
    from pipeline.publish.site.build import site as build
    from pipeline.publish.site.rendering import Settings
    from pipeline.publish.site.writing import SiteError

    config = context.config
    if folder is None:
        if config.site.folder is None:
            raise Failure("name a folder, or set `site.folder` in config.yaml", Code.USAGE)
        folder = context.folder / config.site.folder
    address = url or config.site.url
    settings = Settings(
        url=f"{address.rstrip('/')}/" if address else None,
        title=config.site.title,
        languages=config.site.languages,
        contact=config.site.contact,
        link_hosts=config.source.link_hosts,
        ice_page=config.source.page,
    )
    with context.reading() as connection:
        try:
            built = build(connection, folder, settings)
        except SiteError as error:
            raise Failure(str(error)) from error
    say(f"{built.pages:,} pages and {built.files:,} other files in {folder}")
    say(f"{built.written:,} written, {built.removed:,} removed, the rest as before")
