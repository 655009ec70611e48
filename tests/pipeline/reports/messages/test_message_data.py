"""The document for programs, held against its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from db.records import Kind
from pipeline.reports.messages import data
from pipeline.reports.messages.content import Message, MessageKind
from pipeline.reports.record import LoggedEvent
from tests.pipeline.reports.messages.message_values import (
    HELD,
    everything,
    message,
    new,
    of_kind,
    switch,
    taken_back,
    told,
)

SCHEMA = json.loads(data.schema())
MESSAGES = [
    message(),
    everything(),
    message([taken_back()], MessageKind.CORRECTION, replies_to="m-fedcba9876543210"),
    message([of_kind(kind, state=None, county=None, support_model=None, signed_on=None) for kind in Kind]),
    message(kind=MessageKind.OPERATOR, affairs=(HELD,)),
    message([told()], MessageKind.TEST, full_report=""),
]


@pytest.mark.parametrize("some", MESSAGES)
def test_every_document_is_as_the_schema_says(some: Message) -> None:
    Draft202012Validator(SCHEMA).validate(json.loads(data.document(some)))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema"]["const"] == data.SCHEMA


def _objects(schema: Any) -> Iterator[Any]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        for part in schema.values():
            yield from _objects(part)


def test_every_field_is_described_and_required() -> None:
    found = list(_objects(SCHEMA))

    assert len(found) == 4
    for one in found:
        assert one["description"]
        assert one["required"] == list(one["properties"])
        assert [name for name, of in one["properties"].items() if not of.get("description")] == []


def test_the_document_has_the_fields_of_the_schema_and_no_others() -> None:
    document = json.loads(data.document(everything()))
    operators = json.loads(data.document(message(kind=MessageKind.OPERATOR, affairs=(HELD,))))
    definitions = SCHEMA["$defs"]

    assert list(document) == SCHEMA["required"]
    assert {tuple(event) for event in document["events"]} == {tuple(definitions["event"]["required"])}
    assert list(document["events"][0]["evidence"]) == definitions["evidence"]["required"]
    assert list(operators["affairs"][0]) == definitions["affair"]["required"]


def test_an_event_has_every_column_of_the_record() -> None:
    (event,) = json.loads(data.document(message([told()])))["events"]

    assert {column.name for column in fields(LoggedEvent)} <= set(event)
    assert event["sentence"].startswith("Kerr County Sheriff's Office (TX), Jail Enforcement Model, signed 2025-05-06;")
    assert event["evidence"]["workbook_name"] == "participatingAgencies06272025am.xlsx"
    assert event["previous_evidence"]["row"] == 700


def test_nothing_is_cut_and_the_end_of_a_switch_follows_its_beginning() -> None:
    many = message([told(event_id=f"e-{number}") for number in range(500)])
    pair = json.loads(data.document(message(switch())))["events"]

    assert len(json.loads(data.document(many))["events"]) == 500
    assert [event["kind"] for event in pair] == ["new", "terminated"]


def test_what_only_the_record_began_with_is_marked() -> None:
    (plain,) = json.loads(data.document(message([told()])))["events"]
    (begun,) = json.loads(data.document(message([replace(told(), listed_from_start=True)])))["events"]
    (waiting,) = json.loads(data.document(message([replace(new(), pending_from_start=True)])))["events"]

    assert [(e["listed_from_start"], e["pending_from_start"]) for e in (plain, begun, waiting)] == [
        (False, False),
        (True, False),
        (False, True),
    ]


def test_long_names_are_whole_and_no_link_is_a_script() -> None:
    name = "Ñ" * 10_000
    one = told(agency=name)
    document = data.document(message([one]))

    assert json.loads(document)["events"][0]["agency"] == name
    assert document.isascii()
    assert "javascript" not in data.document(message([replace(one, moa_url="javascript:alert(1)")]))
