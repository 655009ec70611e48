"""What a feed says of an event: its words, its id, and what happens to them when it is taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import html

from db.records import Kind, ListName, Status
from pipeline.reports.feeds.entries import SUBTITLE, entry, feed
from tests.pipeline.reports.story import event

MOA = "https://www.ice.gov/doclib/287gMOA/Kerr.pdf"
RETRACTED = event(
    status=Status.RETRACTED, status_note="listed again on 2025-07-01", status_changed_at="2025-07-01T14:00:00Z"
)


def _lines(content: str) -> list[str]:
    return [element.text_content() for element in html.fromstring(content).iter("p", "li")]


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"kind": Kind.NEW}, "New: Kerr County Sheriff's Office (TX), Jail Enforcement Model"),
        ({"kind": Kind.RENEWED}, "Renewed: Kerr County Sheriff's Office (TX), Jail Enforcement Model"),
        ({}, "No longer listed: Kerr County Sheriff's Office (TX), Jail Enforcement Model"),
        (
            {"status": Status.PROVISIONAL},
            "No longer listed (provisional): Kerr County Sheriff's Office (TX), Jail Enforcement Model",
        ),
        (
            {"status": Status.RETRACTED},
            "Retracted: no longer listed: Kerr County Sheriff's Office (TX), Jail Enforcement Model",
        ),
        (
            {"kind": Kind.PENDING, "state": None, "support_model": None},
            "Pending: Kerr County Sheriff's Office (state unknown), model unknown",
        ),
    ],
)
def test_a_title_says_what_happened_to_whom(fields: dict[str, object], title: str) -> None:
    assert entry(event(**fields)).title == title


def test_the_summary_is_the_sentence_of_every_report() -> None:
    assert entry(event(still_listed=())).summary == (
        "Kerr County Sheriff's Office (TX), Jail Enforcement Model, signed 2025-05-06; listed since 2025-05-12, absent "
        "from participatingAgencies06272025am.xlsx; no other agreement of this agency is listed"
    )


def test_the_content_has_the_words_the_documents_and_the_evidence() -> None:
    assert _lines(entry(event(kind=Kind.NEW, row=12, note="", previous_row=None), MOA, f"{MOA}?addendum").content) == [
        "Kerr County Sheriff's Office (TX), Jail Enforcement Model, signed 2025-05-06",
        "Kerr County, Texas",
        "Documents: MOA, addendum",
        f"row 12 of participatingAgencies06272025am.xlsx, of 2025-06-27, SHA-256 {'ab' * 32}",
        "event e-000000000001 of a-0000000001, found 2025-06-27T14:00:00Z",
    ]


def test_the_content_of_an_end_says_that_ice_gives_no_reason_and_where_the_row_was() -> None:
    ended = event(
        status_changed_at="2025-06-28T14:00:00Z", status_note="absent from participatingAgencies06282025am.xlsx too"
    )
    assert _lines(entry(ended).content) == [
        "Kerr County Sheriff's Office (TX), Jail Enforcement Model, signed 2025-05-06",
        "Kerr County, Texas",
        "listed since 2025-05-12, absent from participatingAgencies06272025am.xlsx",
        "confirmed on 2025-06-28: absent from participatingAgencies06282025am.xlsx too",
        "Terminated: no longer listed; ICE never says why.",
        f"absent from participatingAgencies06272025am.xlsx, of 2025-06-27, SHA-256 {'ab' * 32}",
        f"was row 700 of participatingAgencies06262025pm.xlsx, SHA-256 {'cd' * 32}",
        "event e-000000000001 of a-0000000001, found 2025-06-27T14:00:00Z",
    ]


def test_a_switch_of_model_is_told_as_one() -> None:
    note = "switch of model: the Jail Enforcement Model is no longer listed"
    told = entry(event(kind=Kind.NEW, note=note, related_agreement_id="a-0000000002"))
    assert note in told.summary
    assert {note, "see a-0000000002"} < set(_lines(told.content))


def test_the_title_of_an_end_says_what_is_still_listed() -> None:
    ended = event(still_listed=("Task Force Model",))
    assert entry(ended).title == (
        "No longer listed: Kerr County Sheriff's Office (TX), Jail Enforcement Model; still listed: Task Force Model"
    )


def test_documents_are_links_to_what_is_on_the_web_and_to_nothing_else() -> None:
    content = entry(event(), MOA, "javascript:alert(1)").content
    assert [link for _, _, link, _ in html.fromstring(content).iterlinks()] == [MOA]
    assert "Documents" not in entry(event(), "ftp://example.org/moa.pdf").content


def test_a_retracted_event_keeps_its_id_and_says_that_it_was_taken_back_and_why() -> None:
    before, after = entry(event()), entry(RETRACTED)
    assert after.id == before.id
    assert after.published == before.published == before.updated
    assert after.updated == "2025-07-01T14:00:00Z"
    assert after.title.startswith("Retracted: ")
    assert {
        "RETRACTED: listed again on 2025-07-01",
        "Retracted: taken back: ICE listed it again soon, or it turned out to be a mistake.",
    } < set(_lines(after.content))


def test_an_id_is_made_of_the_id_of_the_event_and_of_nothing_else() -> None:
    told = event()
    again = replace(
        told, agency="Kerr SO", state="FL", kind=Kind.NEW, agreement_id="a-2", detected_at="2026-01-01T00:00:00Z"
    )
    assert entry(told).id == entry(again).id == "urn:uuid:d5f3508e-7833-54cb-a005-433c633b5dc0"
    assert entry(replace(told, event_id="e-000000000002")).id != entry(told).id


def test_readers_can_sort_by_state_kind_list_model_and_status() -> None:
    told = entry(event(kind=Kind.PENDING, list=ListName.PENDING))
    assert [(category.term, category.label) for category in told.categories] == [
        ("TX", "Texas"),
        ("pending", "pending"),
        ("pending list", "pending list"),
        ("Jail Enforcement Model", "Jail Enforcement Model"),
        ("confirmed", "confirmed"),
    ]


def test_a_name_of_ten_kilobytes_is_cut_in_the_title_and_whole_in_the_content() -> None:
    told = entry(event(agency="Kerr" * 2500))
    assert len(told.title) == 200
    assert len(told.summary) == 600
    assert told.title.endswith("\u2026")
    assert "Kerr" * 2500 in told.content


def test_a_feed_is_as_new_as_the_latest_of_its_entries() -> None:
    later = event(event_id="e-000000000002", detected_at="2025-06-30T14:00:00Z")
    assert feed("TX", [entry(later), entry(RETRACTED)], "2025-03-03").updated == "2025-07-01T14:00:00Z"
    assert feed("TX", [entry(later)], "2025-03-03").updated == "2025-06-30T14:00:00Z"


def test_an_empty_feed_is_as_old_as_the_record() -> None:
    assert feed("WY", [], "2025-03-03").updated == "2025-03-03T00:00:00Z"


def test_feeds_are_told_apart_by_name_title_and_id() -> None:
    every, texas = feed(None, [], "2025-03-03"), feed("TX", [], "2025-03-03", "https://example.org/feeds/")
    assert (every.name, every.title) == ("all", "287(g) agreements")
    assert (texas.name, texas.title) == ("tx", "287(g) agreements: Texas")
    assert every.id != texas.id == feed("TX", [], "2025-04-04").id
    assert texas.address(".atom") == "https://example.org/feeds/tx.atom"
    assert every.address(".atom") is None
    assert SUBTITLE.isprintable()
