"""Mutated workbooks: whatever is done to the bytes, the XML or the cells, reading ends in a sheet or in Unreadable."""

import io
import random
import zipfile
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.reading.workbook import Hidden, Limits, Sheet, Unreadable, read
from tests.workbooks import PARTICIPATING, SHEET, STRINGS, packed, participating, pending

ROWS = [
    ("UTAH ", "Kane County Sheriff\u2019s Office", "County", "Kane County", "Warrant Service Officer"),
    ("OHIO", "Lake County Sheriff's Office", "#NA", None, "Task Force Model", "05/082025", "link | addendum"),
    ("TEXAS", "Ellis\xa0County & Co.", None, None, None, None, "link pending"),
]
LINKS = {"G2": "https://www.ice.gov/a.pdf", "H3": "https://gcc02.safelinks.protection.outlook.com/?url=x&data=y"}
SEEDS = [
    participating(ROWS * 5, links=LINKS, hidden_rows=[3, 5], filter_column=4),
    pending([row[:5] for row in ROWS], hidden_rows=[2], above=[("as of", 45720.5)]),
]
CONTENTS = []
for seed in SEEDS:
    with zipfile.ZipFile(io.BytesIO(seed)) as package:
        CONTENTS.append({name: package.read(name) for name in package.namelist()})

# Small caps, so that a mutation can reach them.
LIMITS = Limits(expanded=2_000_000, rows=500, cells=5_000, text=2_000, characters=20_000, links=200)
FRAGMENTS = (
    *(b"<", b">", b"&", b'"', b"\0", b"\xff", b"\xe2\x80\xa8", b"]]>", b"<!--", b"-->", b"<![CDATA[", b"<?x?>"),
    *(b"&#0;", b"&#xD800;", b"&lt;", b"_x0000_", b'xmlns="x"', b"<x:row/>", b"1e999", b"-1", b"99999999999"),
    *(b"<row>", b"</row>", b'<row r="7">', b"<c/>", b"<c>", b'<c r="A1"><v>1</v></c>', b"<v>", b"</v>", b"<f>"),
    *(b"<is><t>x</t></is>", b"<si/>", b"<rPh>", b' t="s"', b' t="d"', b' t="inlineStr"', b' s="1"', b' hidden="1"'),
    *(b' r="XFD1048576"', b'<mergeCell ref="A1:H9"/>', b'<hyperlink ref="A1:XFD1048576" r:id="rId1"/>'),
)

bounded = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
seeds = st.integers(0, 2**32 - 1)


def outcome(data: bytes) -> Sheet | None:
    """What reading comes to: a sound sheet, or None for a refusal in one line."""
    try:
        sheet = read(data, LIMITS)
    except Unreadable as error:
        line = str(error)
    else:
        assert_sound(sheet)
        return sheet
    assert line.isprintable()
    return None


def assert_sound(sheet: Sheet) -> None:
    numbers = [row.row for row in sheet.rows]
    assert numbers == sorted(set(numbers))
    assert all(
        {f for f, v in row.values.items() if v is not None} <= sheet.columns.keys() >= row.links.keys()
        for row in sheet.rows
    )
    assert all(isinstance(row.hidden, Hidden) for row in sheet.rows)
    assert all("\n" not in note for note in sheet.notes)
    repr(sheet).encode()


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Some bytes cut out, turned over, repeated, or replaced by a fragment that means something in XML."""
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content) + 1)
        end = at + chance.choice((0, 0, 1, 2, chance.randint(0, 40), chance.randint(0, 400)))
        new = chance.choice(
            (b"", chance.choice(FRAGMENTS), chance.randbytes(chance.randint(1, 4)), content[at:end] * 2)
        )
        content = content[:at] + new + content[end:]
    return content


@settings(bounded, max_examples=300)
@given(st.sampled_from(SEEDS), seeds)
def test_no_change_to_the_bytes_of_a_workbook_crashes_the_reader(data: bytes, seed: int) -> None:
    outcome(mutated(data, random.Random(seed)))


@settings(bounded, max_examples=800)
@given(st.sampled_from(CONTENTS), seeds)
def test_no_change_to_the_xml_of_a_part_crashes_the_reader(contents: dict[str, bytes], seed: int) -> None:
    chance = random.Random(seed)
    # Most of what is read is in these two.
    part = chance.choice((*contents, *[SHEET, STRINGS] * 5))
    outcome(packed({**contents, part: mutated(contents[part], chance)}))


@settings(bounded, max_examples=300)
@given(st.sampled_from(CONTENTS), seeds)
def test_rows_read_in_bulk_and_by_the_parser_come_to_the_same(contents: dict[str, bytes], seed: int) -> None:
    sheet = mutated(contents[SHEET], random.Random(seed))
    by_parser = sheet.replace(b"<sheetData>", b"<!-- --><sheetData>", 1)
    assert outcome(packed({**contents, SHEET: sheet})) == outcome(packed({**contents, SHEET: by_parser}))


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates().map(str),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30),
)


@settings(bounded, max_examples=150)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(PARTICIPATING, values)), max_size=4))
def test_whatever_the_cells_hold_the_rows_are_those_that_hold_something(rows: list[dict[str, Any]]) -> None:
    sheet = outcome(participating(rows))
    assert sheet is not None
    filled = [row for row in rows if any(str(value).strip() for value in row.values() if value is not None)]
    assert len(sheet.rows) == len(filled)
