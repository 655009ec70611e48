"""`watch287g site`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.entry import cli
from pipeline.config import Config, load
from pipeline.settings_file import ConfigError
from tests.pipeline.reports import story


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return story.write(tmp_path_factory.mktemp("history"))


def test_one_command_writes_a_site_and_says_how_much(database: Path, tmp_path: Path) -> None:
    first = story.run(database, "site", str(tmp_path / "site")).output.splitlines()
    again = story.run(database, "site", str(tmp_path / "site")).output.splitlines()

    assert first[0].endswith(f" in {tmp_path / 'site'}")
    assert again == [first[0], "0 written, 0 removed, the rest as before"]
    assert (tmp_path / "site" / "es" / "index.html").exists()


def test_the_address_comes_from_the_option_or_the_config(database: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("site: {url: 'https://example.org/a', title: Ours, languages: [es, en]}\n", encoding="utf-8")
    run = ["--config", str(config), "--db", str(database), "site", str(tmp_path / "site")]

    assert CliRunner().invoke(cli, run).exit_code == 0
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert '<link rel="canonical" href="https://example.org/a/">' in page
    assert "· Ours</title>" in page
    assert 'lang="es"' in page
    assert (tmp_path / "site" / "en" / "index.html").exists()
    assert CliRunner().invoke(cli, [*run, "--url", "http://localhost:8000/b/"]).exit_code == 0
    assert 'href="http://localhost:8000/b/"' in (tmp_path / "site" / "index.html").read_text(encoding="utf-8")


def test_the_folder_may_stand_in_the_config_and_has_to_stand_somewhere(database: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("site: {folder: public}\n", encoding="utf-8")
    given = CliRunner().invoke(cli, ["--config", str(config), "--db", str(database), "site"])
    missing = story.run(database, "site")

    assert (given.exit_code, (tmp_path / "public" / "index.html").exists()) == (0, True)
    assert str(missing.exception) == "name a folder, or set `site.folder` in config.yaml"


@pytest.mark.parametrize("url", ["example.org", "javascript:alert(1)", "https://", "https://a/?q", "https://a/#b"])
def test_a_wrong_address_is_one_sentence(database: Path, tmp_path: Path, url: str) -> None:
    result = story.run(database, "site", str(tmp_path / "site"), "--url", url)

    assert result.exit_code == 2
    assert "must be the http or https address of a folder, such as https://example.org/287g/" in " ".join(
        result.output.replace("│", " ").split()
    )
    assert not (tmp_path / "site").exists()


def test_a_folder_of_somebody_else_is_one_sentence(database: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")

    assert "is not empty and holds no site" in str(story.run(database, "site", str(tmp_path)).exception)


def test_without_a_history_nothing_is_made(tmp_path: Path) -> None:
    result = story.run(tmp_path / "none.db", "site", str(tmp_path / "site"))

    assert result.exit_code == 1
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{url: example.org}", "site.url: must be the http or https address of a folder"),
        ("{languages: [en, fr]}", "site.languages: must be one or both of en and es"),
        ("{languages: []}", "site.languages: must be one or both of en and es"),
        ("{languages: [en, en]}", "site.languages: must be one or both of en and es"),
        ("{colour: red}", "site.colour is no known key"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"site: {text}\n", encoding="utf-8")

    with pytest.raises(ConfigError, match=says):
        load(path)
    assert Config().site.languages == ("en", "es")


def test_its_help_fits_a_screen(tmp_path: Path) -> None:
    lines = story.run(tmp_path / "none.db", "site", "--help").output.splitlines()
    assert len(lines) <= 32
    assert all(len(line) <= 80 for line in lines)
