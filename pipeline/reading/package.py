"""The zip around a workbook: its parts, unpacked and parsed under caps.

Everything that can be wrong with a workbook is one exception, told apart by its reason:

    Unreadable
      not a workbook     empty  html  csv  pdf  xls  not_a_zip  not_a_workbook  encrypted
      broken             truncated  damaged
      hostile, or vast   too_large  bomb  entities  unsafe_path
                         too_many_rows  too_many_cells  too_many_links  cell_too_long
      not one list       no_sheet_fits  ambiguous_sheets  duplicate_columns

What is checked here follows ECMA-376 part 2 (the package) and the habits of the standard library's `zipfile`, which
trusts the sizes that an archive declares and reads any number of members.
"""

import io
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from xml.parsers import expat

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Text = Callable[[str], None]
Sift = Callable[[Iterator[bytes]], Iterator[bytes]]

CHUNK = 64 * 1024
# A token is a tag with its attributes, or a comment: expat holds one in memory until it ends.
TOKEN_BYTES = 1024 * 1024
DEPTH = 64
DISTINCT_NAMES = 4096
SMALL_PART_BYTES = 16 * 1024 * 1024
SMALL_PART_ELEMENTS = 200_000
# Deflate packs a short run of blanks a thousandfold; only a part that is large when unpacked can do harm.
RATIO_FREE_BYTES = 1024 * 1024

_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
_HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
_PLAIN_HYPERLINK = re.compile(
    rb'<Relationship Id="(\w++)" Type="%s" Target="([ !#-%%\'-;=-~]*+(?:&amp;[ !#-%%\'-;=-~]*+)*+)"'
    rb' TargetMode="External"/>' % re.escape(_HYPERLINK.encode())
)
_OLE_CONTAINER = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD_EXCEL = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x08\x00", b"\x09\x08\x10\x00")


class Reason(StrEnum):
    """Why a workbook could not be read."""

    EMPTY = "empty"
    HTML = "html"
    CSV = "csv"
    PDF = "pdf"
    XLS = "xls"
    NOT_A_ZIP = "not_a_zip"
    NOT_A_WORKBOOK = "not_a_workbook"
    ENCRYPTED = "encrypted"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    BOMB = "bomb"
    ENTITIES = "entities"
    UNSAFE_PATH = "unsafe_path"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_CELLS = "too_many_cells"
    TOO_MANY_LINKS = "too_many_links"
    CELL_TOO_LONG = "cell_too_long"
    NO_SHEET_FITS = "no_sheet_fits"
    AMBIGUOUS_SHEETS = "ambiguous_sheets"
    DUPLICATE_COLUMNS = "duplicate_columns"


class Unreadable(Exception):  # noqa: N818 - it is a finding about a file, not an error of the program
    """A workbook that is not to be used; `str()` is one line for people, `reason` tells the cases apart."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.args[1])


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on one workbook; the largest of ICE's lists of 2025 stays below a tenth of each.

    size: bytes of the file; expanded: bytes unpacked from all its parts; ratio: unpacked to packed, of a part above
    1 MB; parts: members of the zip; rows: rows with a value; cells: cells, empty ones too; text: characters in a cell
    (Excel's own limit); characters: in all shared strings, and in all cells of a sheet; strings: shared strings;
    links: hyperlinks.
    """

    size: int = 20 * 1024 * 1024
    expanded: int = 100 * 1024 * 1024
    ratio: int = 200
    parts: int = 2_000
    rows: int = 20_000
    cells: int = 500_000
    text: int = 32_767
    characters: int = 10_000_000
    strings: int = 200_000
    links: int = 60_000


class Element(NamedTuple):
    """An XML element; `tag` and `parent` without the root's prefix, `text` in the pieces that it came in."""

    tag: str
    parent: str
    attributes: dict[str, str]
    text: list[str]


class Relationship(NamedTuple):
    """A line of a `.rels` part; `target` is a part's name, or as stored if it is external."""

    kind: str
    target: str
    external: bool


def quoted(name: str) -> str:
    """A name out of a file, fit for one line of a message."""
    return repr(name if len(name) <= 60 else name[:57] + "...")


def too_deep(part: str) -> Unreadable:
    return damaged(part, f"XML nested deeper than {DEPTH}")


def damaged(part: str, what: str) -> Unreadable:
    return Unreadable(Reason.DAMAGED, f"damaged: {quoted(part)}: {what}")


class Package:
    """The parts of a workbook. Part names have no leading slash and are found in any case, as OPC says.

    Raises Unreadable, on opening or on reading a part.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.limits = limits
        self._size = len(data)
        self._expanded = 0
        _refuse_other_formats(data, limits)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _ZIP_ERRORS as error:
            raise Unreadable(Reason.DAMAGED, f"damaged: the zip cannot be opened: {_one_line(error)}") from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._zip.infolist():
            name = _safe_name(member)
            if name in self._members:
                raise damaged(member.filename, "two parts have this name")
            self._members[name] = member
            self._weigh(member, member.file_size)
        if sum(member.file_size for member in self._members.values()) > limits.expanded:
            raise self._bomb("the parts together")

    def __contains__(self, part: str) -> bool:
        return part.lower() in self._members

    def chunks(self, part: str) -> Iterator[bytes]:
        """The bytes of a part, unpacked piece by piece and counted, whatever size the zip declares."""
        member = self._members.get(part.lower())
        if member is None:
            raise damaged(part, "the part is missing")
        unpacked = 0
        try:
            with self._zip.open(member) as stream:
                while chunk := stream.read(CHUNK):
                    unpacked += len(chunk)
                    self._expanded += len(chunk)
                    self._weigh(member, unpacked)
                    if self._expanded > self.limits.expanded:
                        raise self._bomb(quoted(part))
                    yield chunk
        except _ZIP_ERRORS as error:
            raise damaged(part, _one_line(error)) from error

    def parse(self, part: str, parser: expat.XMLParserType, sift: Sift = iter) -> Iterator[int]:
        """Feed a part to a parser of `xml_parser`; yields the number of bytes fed after each piece.

        A `sift` takes out of the bytes what it reads itself.
        """
        fed = 0
        try:
            for piece in sift(self.chunks(part)):
                parser.Parse(piece, False)
                fed += len(piece)
                if fed - parser.CurrentByteIndex > TOKEN_BYTES or len(parser.intern) > DISTINCT_NAMES:
                    raise damaged(part, "the XML has an endless tag, or too many names")
                yield fed
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise damaged(part, f"bad XML: {_one_line(error)}") from error

    def elements(self, part: str, *tags: str, sift: Sift = iter) -> list[Element]:
        """The elements of a small part that have one of these tags, in the order of their beginnings."""
        found: list[Element] = []
        opened = [""]

        def start(tag: str, attributes: dict[str, str]) -> None:
            if tag in tags:
                found.append(Element(tag, opened[-1], attributes, []))
            opened.append(tag)

        def end(_: str) -> None:
            opened.pop()

        def text(data: str) -> None:
            if found and found[-1].tag == opened[-1]:
                found[-1].text.append(data)

        parser = xml_parser(part, start, end, text)
        for fed in self.parse(part, parser, sift):
            if len(opened) > DEPTH:
                raise too_deep(part)
            if fed > SMALL_PART_BYTES or len(found) > SMALL_PART_ELEMENTS:
                raise self._bomb(quoted(part))
        return found

    def relationships(self, part: str) -> dict[str, Relationship]:
        """Id -> relationship of a part, or of the package if `part` is empty; none if it has no `.rels`."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        found = {}

        def add_hyperlinks(links: list[tuple[bytes, bytes]]) -> None:
            for identifier, target in links:
                text = target.decode()
                found[identifier.decode()] = Relationship("hyperlink", text.replace("&amp;", "&"), True)

        plain = sift(_PLAIN_HYPERLINK, b'TargetMode="External"', add_hyperlinks)
        for element in self.elements(rels, "Relationship", sift=plain) if rels in self else ():
            attributes = element.attributes
            target = attributes.get("Target", "")
            external = attributes.get("TargetMode") == "External"
            if not external:
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = Relationship(kind, target, external)
        return found

    def _weigh(self, member: zipfile.ZipInfo, unpacked: int) -> None:
        packed = min(member.compress_size, self._size)
        if unpacked > self.limits.expanded or unpacked > max(RATIO_FREE_BYTES, self.limits.ratio * packed):
            raise self._bomb(quoted(member.filename))

    def _bomb(self, what: str) -> Unreadable:
        limits = self.limits
        caps = f"{limits.expanded:,} bytes in all, {limits.ratio} times their packed size"
        return Unreadable(Reason.BOMB, f"bomb: {what} would unpack to more than a workbook may ({caps})")


def xml_parser(part: str, start: Start, end: End, text: Text) -> expat.XMLParserType:
    """A parser that calls the handlers with names free of the root's prefix: `x:row` is `row` if the root is
    `x:worksheet`, so that strict, transitional and prefixed workbooks read alike.

    It refuses document types, and with them entities, and encodings that are not Unicode's. It resolves no namespaces
    on purpose: so every name that expat keeps is in the parser's `intern`, and can be counted.
    """

    def root(name: str, attributes: dict[str, str]) -> None:
        prefix = name[: name.find(":") + 1]
        if prefix:
            parser.StartElementHandler = lambda name, attributes: start(name.removeprefix(prefix), attributes)
            parser.EndElementHandler = lambda name: end(name.removeprefix(prefix))
        else:
            parser.StartElementHandler = start
            parser.EndElementHandler = end
        start(name.removeprefix(prefix), attributes)

    def refuse_doctype(*_: object) -> None:
        raise Unreadable(Reason.ENTITIES, f"entities: {quoted(part)} declares a document type, which no workbook needs")

    def refuse_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf-16", "us-ascii"):
            raise damaged(part, f"encoded in {quoted(encoding)}, not in Unicode")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = root
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.XmlDeclHandler = refuse_encoding
    return parser


def sift(plain: re.Pattern[bytes], mark: bytes, take: Callable[[list[Any]], None]) -> Sift:
    """Read the elements that match `plain` by calling `take` with what its groups found (as `findall` gives it), and
    pass on what is left, in order, to the parser. `mark` is how such an element begins.

    Nearly all of a large part is one kind of element, which Excel spells in one way. Expat calls back several times for
    each and its children; a regular expression reads them in a fraction of the time. What matches must be whole
    elements, well-formed by themselves and in ASCII: then what is left is as well-formed as the part was. Where other
    spellings stand among them, `take` gets them one by one, in order with the rest. After a comment, CDATA or an
    instruction, which might hold the likeness of an element, all goes to the parser.
    """

    def sifted(pieces: Iterator[bytes]) -> Iterator[bytes]:
        held = b""
        trusted = True
        for piece in pieces:
            held += piece
            end = held.rfind(b">") + 1
            if trusted and end == 0 and len(held) < TOKEN_BYTES:
                yield b""  # nothing for the parser, but a turn for whoever counts
                continue
            trusted = trusted and end > 0 and b"<!" not in held and held.find(b"<?", 1) < 0
            whole, held = (held[:end], held[end:]) if trusted else (held, b"")
            left = plain.sub(b"", whole) if trusted else whole
            if trusted and mark in left:
                yield from _one_by_one(plain, whole, take)
                continue
            if trusted:
                take(plain.findall(whole))
            yield left
        yield held

    return sifted


def _one_by_one(plain: re.Pattern[bytes], whole: bytes, take: Callable[[list[Any]], None]) -> Iterator[bytes]:
    done = 0
    for match in plain.finditer(whole):
        if match.start() > done:
            yield whole[done : match.start()]
        done = match.end()
        take(plain.findall(match.group()))
    yield whole[done:]


def sift_rows(take: Callable[[str], bool]) -> Sift:
    """As `sift`, for a worksheet's rows, in blocks of whole rows: `take` reads one, or says that it cannot (False).

    From the first block that it cannot read, all goes to the parser.
    """

    def sifted(pieces: Iterator[bytes]) -> Iterator[bytes]:
        held = b""
        trusted = True
        for piece in pieces:
            held += piece
            if not trusted:
                yield held
                held = b""
                continue
            begin, end = held.find(b"<row "), held.rfind(b"</row>") + 6
            if b"<!" in held or held.find(b"<?", 1) >= 0:
                trusted = False
            elif 0 <= begin < end:
                block = held[begin:end]
                trusted = block.isascii() and take(block.decode("ascii"))
                if trusted:
                    yield held[:begin]
                    held = held[end:]
            if len(held) > TOKEN_BYTES:
                trusted = False
        yield held

    return sifted


def attribute(attributes: dict[str, str], local: str) -> str | None:
    """An attribute of another namespace, such as the relationships' `r:id`, under whatever prefix."""
    return next((value for name, value in attributes.items() if name.rpartition(":")[2] == local), None)


def _refuse_other_formats(data: bytes, limits: Limits) -> None:
    if len(data) > limits.size:
        raise Unreadable(Reason.TOO_LARGE, f"too large: {len(data):,} bytes; a list may have {limits.size:,}")
    if not data.strip(b"\0 \t\r\n"):
        raise Unreadable(Reason.EMPTY, f"empty: {len(data):,} bytes, none of them anything")
    if not data.startswith(b"PK\x03\x04"):
        raise _other_format(data)
    if b"PK\x05\x06" not in data[-(22 + 0xFFFF) :]:
        raise Unreadable(Reason.TRUNCATED, f"truncated: a zip of {len(data):,} bytes without its end")
    # zipfile makes an object for each of a directory's entries, however many, before anyone can look.
    if data.count(b"PK\x01\x02") > limits.parts:
        raise Unreadable(Reason.BOMB, f"bomb: a zip with more than {limits.parts:,} members")


def _other_format(data: bytes) -> Unreadable:
    start = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(_OLE_CONTAINER):
        if "EncryptedPackage".encode("utf-16-le") in data:
            return Unreadable(Reason.ENCRYPTED, "encrypted: the workbook needs a password")
        return Unreadable(Reason.XLS, "xls: a workbook of Excel 97 to 2003, or another OLE container")
    if data.startswith(_OLD_EXCEL):
        return Unreadable(Reason.XLS, "xls: a workbook of an Excel before 97")
    if start.startswith(b"%PDF-"):
        return Unreadable(Reason.PDF, "pdf: a PDF document, not a workbook")
    if start.startswith(b"<") and any(mark in start.lower() for mark in (b"<!doctype html", b"<html", b"<body")):
        return Unreadable(Reason.HTML, "html: a web page, not a workbook")
    line = start.partition(b"\n")[0]
    if b"\0" not in start and any(line.count(separator) >= 2 for separator in (b",", b";", b"\t")):
        return Unreadable(Reason.CSV, "csv: separated text, not a workbook")
    return Unreadable(Reason.NOT_A_ZIP, f"not a zip: {len(data):,} bytes that begin with {start[:8].hex(' ')}")


def _safe_name(member: zipfile.ZipInfo) -> str:
    name = member.filename.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
        raise Unreadable(Reason.UNSAFE_PATH, f"unsafe path: the zip has a member named {quoted(member.filename)}")
    if member.flag_bits & 1:
        raise Unreadable(Reason.ENCRYPTED, f"encrypted: {quoted(name)} needs a password")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise damaged(name, f"packed by method {member.compress_type}; a workbook knows 0 and 8")
    return name.lower()


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
