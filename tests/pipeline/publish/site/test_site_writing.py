"""The folder of a site: only what differs is written, only what is ours removed, and nothing is lost to a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.publish.site.moving import moved
from pipeline.publish.site.rendering import Renderer
from pipeline.publish.site.writing import INCOMING, MANIFEST, SiteError, open_folder
from tests.db.histories import Posted, rows, sheriff
from tests.pipeline.publish.site import sites
from tests.pipeline.publish.site.sites import built, contents, stamps

EARLY = (
    Posted("participating", 0, rows("Lee", "Polk", "Bay")),
    Posted("participating", 1, rows("Lee", "Polk", "Bay", "Clay")),
)
LATE = (*EARLY, Posted("participating", 40, [*rows("Lee", "Polk", "Bay", "Clay"), sheriff("Leon")]))


@pytest.fixture
def early(tmp_path: Path) -> Path:
    return sites.write(tmp_path / "early", *EARLY)


@pytest.fixture
def late(tmp_path: Path) -> Path:
    return sites.write(tmp_path / "late", *LATE)


def test_the_same_history_writes_nothing(early: Path, tmp_path: Path) -> None:
    first = built(early, tmp_path / "site")
    before = stamps(tmp_path / "site")
    again = built(early, tmp_path / "site")

    assert (again.written, again.removed) == (0, 0)
    assert stamps(tmp_path / "site") == before
    assert first.pages == again.pages


def test_the_same_history_makes_the_same_bytes_anywhere(early: Path, tmp_path: Path) -> None:
    built(early, tmp_path / "one")
    built(early, tmp_path / "other")

    assert contents(tmp_path / "one") == contents(tmp_path / "other")


def test_a_new_list_rewrites_the_pages_that_it_changes_and_no_other(early: Path, late: Path, tmp_path: Path) -> None:
    built(early, tmp_path / "site")
    before = stamps(tmp_path / "site")
    built(late, tmp_path / "site")
    after = stamps(tmp_path / "site")

    same = {name for name in before if before[name] == after.get(name)}
    assert {
        "agency/fl-lee-county-sheriffs-office/index.html",
        "method.html",
        "site.css",
        "changes/2025-03/index.html",
    } - same == {
        "changes/2025-03/index.html"  # it has a later month now
    }
    assert "index.html" not in same
    assert "agency/fl-leon-county-sheriffs-office/index.html" in after


def test_what_no_longer_belongs_is_removed_and_nothing_else(early: Path, late: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    built(late, folder, url="https://example.org/")
    (folder / "CNAME").write_text("example.org", encoding="utf-8")
    (folder / "agency" / "notes.txt").write_text("mine", encoding="utf-8")
    gone = built(early, folder)

    assert gone.removed > 0
    assert not (folder / "sitemap.xml").exists()
    assert not (folder / "changes" / "2025-04").exists()
    assert (folder / "CNAME").read_text() == "example.org"
    assert (folder / "agency" / "notes.txt").read_text() == "mine"
    assert MANIFEST not in json.loads((folder / MANIFEST).read_text())["files"]


def test_a_page_stays_reachable_when_its_agency_gets_another_id(early: Path, tmp_path: Path) -> None:
    """Lists of an earlier time that are taken in later can give an agency an older name, and so another id."""
    folder = tmp_path / "site"
    built(early, folder)
    older = Posted("participating", -7, [*rows("Polk", "Bay"), sheriff("Lee", agency="Lee Conty Sheriffs Office")])
    renamed = sites.write(tmp_path / "older", older, *EARLY)
    built(renamed, folder)

    assert (folder / "agency" / "fl-lee-conty-sheriffs-office" / "index.html").exists()
    redirect = set(sites.links(folder / "agency" / "fl-lee-county-sheriffs-office" / "index.html"))
    assert "../../agency/fl-lee-conty-sheriffs-office/index.html" in redirect
    before = stamps(folder)
    built(renamed, folder)
    assert stamps(folder) == before


def test_an_id_without_an_agency_is_found_by_its_agreements(early: Path) -> None:
    from contextlib import closing

    from db.connect import open_readonly
    from pipeline.publish.site.model import read

    with closing(open_readonly(early)) as connection:
        agencies = read(connection).agencies
    lee, polk = (next(one for one in agencies if one.name.startswith(name)) for name in ("Lee", "Polk"))
    earlier = {
        "fl-once": [lee.timelines[0].agreement_id],
        "fl-both": [lee.timelines[0].agreement_id, polk.timelines[0].agreement_id],
        "fl-nobody": ["a-0000000000"],
        lee.id: [polk.timelines[0].agreement_id],
    }
    found = {one.slug: [target.id for target in one.targets] for one in moved(agencies, earlier)}

    assert found == {"fl-once": [lee.id], "fl-both": [lee.id, polk.id]}


@pytest.mark.parametrize("after", [0, 1, 7, 30])
def test_whoever_is_killed_is_completed_by_the_next_run(
    early: Path, late: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    built(early, tmp_path / "site")
    built(early, tmp_path / "whole")
    built(late, tmp_path / "whole")
    rendered = Renderer.render
    left = [after]

    def killed(self: Renderer, page: object) -> bytes:
        left[0] -= 1
        if left[0] < 0:
            (tmp_path / "site" / INCOMING).write_bytes(b"half a pa")
            raise KeyboardInterrupt
        return rendered(self, page)  # type: ignore[arg-type]

    monkeypatch.setattr(Renderer, "render", killed)
    with pytest.raises(KeyboardInterrupt):
        built(late, tmp_path / "site")
    monkeypatch.undo()
    built(late, tmp_path / "site")

    assert contents(tmp_path / "site") == contents(tmp_path / "whole")


def test_a_folder_of_somebody_else_is_refused(early: Path, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(SiteError, match="is not empty and holds no site of an earlier run; name an empty or a new"):
        built(early, folder)
    assert contents(folder) == {"thesis.txt": b"mine"}
    with pytest.raises(SiteError, match="is not a folder"):
        built(early, folder / "thesis.txt")


def test_a_file_of_somebody_else_in_the_way_is_not_overwritten(early: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    built(early, folder)
    (folder / "robots.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(SiteError, match=r"robots\.txt is not of an earlier run; move it away"):
        built(early, folder, url="https://example.org/")
    assert (folder / "robots.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ('{"files": ["../../etc/passwd"], "agencies": {}}', "names files outside its folder"),
        ('{"files": ["/etc/passwd"], "agencies": {}}', "names files outside its folder"),
        ('{"files": [', "cannot be understood"),
        ("[]", "cannot be understood"),
        ('{"files": [], "agencies": []}', "cannot be understood"),
    ],
)
def test_a_manifest_that_is_not_ours_is_refused(tmp_path: Path, manifest: str, says: str) -> None:
    (tmp_path / MANIFEST).write_text(manifest, encoding="utf-8")

    with pytest.raises(SiteError, match=says):
        open_folder(tmp_path)
