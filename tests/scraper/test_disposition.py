"""A server chooses the name; it must not choose where we write or what a terminal shows."""

from __future__ import annotations

import pytest

from scraper.disposition import NAME_LENGTH, file_name

URL = "https://www.ice.gov/file-download/download/public/123456"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="participatingAgencies06272025am.xlsx"', "participatingAgencies06272025am.xlsx"),
        ("attachment; filename=pending.xlsx", "pending.xlsx"),
        ("ATTACHMENT;FileName = pending.xlsx ; size=3", "pending.xlsx"),
        ("attachment; filename*=UTF-8''pending%20agencies%E2%80%99.xlsx", "pending agencies’.xlsx"),
        ("attachment; filename*=iso-8859-1'en'%A3%20rates.xlsx", "£ rates.xlsx"),
        ("attachment; filename=\"old.xlsx\"; filename*=UTF-8''new.xlsx", "new.xlsx"),
        ("attachment; filename*=UTF-8''new.xlsx; filename=\"old.xlsx\"", "new.xlsx"),
        ("attachment; filename*=UTF-8''%FF.xlsx; filename=old.xlsx", "old.xlsx"),
        ("attachment; filename*=KOI8-R''new.xlsx; filename=old.xlsx", "old.xlsx"),
        ('attachment; filename="a \\"b\\"; c.xlsx"', 'a "b"; c.xlsx'),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\temp\\\\p.xlsx"', "p.xlsx"),
        ("attachment; filename*=UTF-8''..%2F..%2Fp.xlsx", "p.xlsx"),
        ('attachment; filename=".hidden.xlsx"', "hidden.xlsx"),
        ("attachment; filename*=UTF-8''p%1B%5B31m%0A.xlsx", "p[31m.xlsx"),
        ("attachment; filename*=UTF-8''p%E2%80%AExslx.exe", "pxslx.exe"),
        ('attachment; filename=""', "123456"),
        ('attachment; filename=".."', "123456"),
        ("attachment", "123456"),
        (None, "123456"),
    ],
)
def test_content_disposition_names_the_file_and_nothing_but_the_file(header: str | None, name: str) -> None:
    assert file_name(header, URL) == name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://x.org/a/participating%20Agencies.xlsx?v=1#s", "participating Agencies.xlsx"),
        ("https://x.org/a/..%2Fp.xlsx", "p.xlsx"),
        ("https://x.org/", None),
        ("https://x.org", None),
    ],
)
def test_without_a_header_the_address_names_the_file(url: str, name: str | None) -> None:
    assert file_name(None, url) == name


def test_a_name_without_end_keeps_its_extension() -> None:
    name = file_name(f"attachment; filename={'a' * 5000}.xlsx", URL)

    assert name is not None
    assert len(name) == NAME_LENGTH
    assert name.endswith("a.xlsx")
