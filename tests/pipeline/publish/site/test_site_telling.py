"""Events in words, in each language."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records import Kind, Status
from pipeline.publish.site import telling
from pipeline.publish.site.telling import Teller
from pipeline.publish.site.words import LANGUAGES, words
from tests.pipeline.reports.story import event

EN, ES = (Teller(words(language), ("ice.gov",)) for language in ("en", "es"))
MOA = "https://www.ice.gov/doclib/287gMOA/KerrCoTX.pdf"


def test_a_termination_says_what_is_known_and_not_why() -> None:
    told = EN.tell(event(still_listed=("Task Force Model",), status_note="absent from b.xlsx too"))
    assert told.headline == "No longer listed"
    assert told.details == (
        "listed since May 12, 2025, absent from participatingAgencies06272025am.xlsx",
        "that list had other agreements of this agency: Task Force Model",
        "borne out: absent from b.xlsx too",
    )


def test_the_same_in_spanish() -> None:
    told = ES.tell(event(still_listed=(), status=Status.PROVISIONAL))
    assert told.headline == "Ya no figura en la lista (provisional)"
    assert told.details == (
        "figuraba desde el 12 de mayo de 2025, ausente de participatingAgencies06272025am.xlsx",
        "esa lista no tenía ningún otro acuerdo de esta agencia",
        "provisional: ninguna segunda lista lo confirma todavía",
    )


@pytest.mark.parametrize(
    ("note", "english", "spanish"),
    [
        (
            "signed anew in place of the agreement of 2025-02-26, listed since 2025-03-06",
            ["in place of the agreement signed February 26, 2025, listed since March 6, 2025"],
            ["en lugar del acuerdo firmado el 26 de febrero de 2025, que figuraba desde el 6 de marzo de 2025"],
        ),
        (
            "listed since 2025-02-21, absent from b.xlsx; switch of model: the M signed None is new on the same list",
            [
                "listed since February 21, 2025, absent from b.xlsx",
                "switch of model: the M agreement of unknown date is new on the same list",
            ],
            [
                "figuraba desde el 21 de febrero de 2025, ausente de b.xlsx",
                "cambio de modelo: el acuerdo M de fecha desconocida es nuevo en la misma lista",
            ],
        ),
        ("listed again after 1 day; absent since 2025-07-08", ["after 1 day; absent since July 8, 2025"], None),
        ("listed again; absent since 2025-07-08", ["absent since July 8, 2025"], None),
        (
            "pending since 2025-02-20; left the list on 2025-03-13, not signed in the 46 days since",
            ["pending since February 20, 2025; left the list on March 13, 2025, not signed in the 46 days since"],
            None,
        ),
        (
            "an operator said <so>",
            ["an operator said &lt;so&gt;"],
            ['<span lang="en">an operator said &lt;so&gt;</span>'],
        ),
        ("", [], []),
    ],
)
def test_notes_are_said_in_each_language(note: str, english: list[str], spanish: list[str] | None) -> None:
    assert list(EN.note(note)) == english
    if spanish is not None:
        assert list(ES.note(note)) == spanish
    assert len(list(ES.note(note))) == len(english)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_change_with_one_field_is_the_headline(language: str) -> None:
    told = Teller(words(language), ("ice.gov",)).tell(
        event(kind=Kind.CHANGED, note="", changes={"moa_url": (None, MOA)}, change_classes={"moa_url": "link posted"})
    )
    assert f'<a href="{MOA}">KerrCoTX.pdf</a>' in told.headline
    assert told.details == ()


def test_a_change_of_a_class_unknown_here_is_still_told() -> None:
    told = EN.tell(event(kind=Kind.CHANGED, note="", changes={"county": ("A", None)}, change_classes={}))
    assert told.headline == "county changed: from “A” to “not stated”"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/a.pdf",
        "https://www.ice.gov.evil.example/a.pdf",
        "https://evilice.gov/a.pdf",
        "https://www.ice.gov@evil.example/a.pdf",
        "javascript:alert(1)",
        "data:text/html,x",
        "//ice.gov/a.pdf",
        "https://[",
    ],
)
def test_a_document_elsewhere_is_no_link(url: str) -> None:
    assert "<a" not in EN.document(url)


def test_a_document_of_ice_is_a_link_under_its_file_name() -> None:
    assert (
        EN.document("https://www.ice.gov/doclib/a%20b.pdf")
        == '<a href="https://www.ice.gov/doclib/a%20b.pdf">a b.pdf</a>'
    )


@given(st.text(), st.text(), st.text())
def test_no_text_of_ice_makes_markup(note: str, before: str, url: str) -> None:
    told = EN.tell(event(note=note, changes={"agency": (before, note), "moa_url": (url, f"https://www.ice.gov/{url}")}))
    for text in (told.headline, *told.details):
        rest = text.replace("</a>", "").replace('<a href="https://www.ice.gov/', "")
        assert "<" not in rest
        assert text.count("<a href=") == text.count("</a>")
        assert text.isprintable()


def test_the_site_says_nothing_that_a_reader_could_take_for_a_reason() -> None:
    text = (Path(telling.__file__).parent / "text.toml").read_text(encoding="utf-8").lower()
    for word in ("terminated by", "cancelled", "canceled", "withdrew", "cancel", "rescindi"):
        assert word not in text.replace("terminated =", "")
