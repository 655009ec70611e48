"""A page that would be too large -> parts: the first at its own address, the others in numbered folders below."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from markupsafe import Markup

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Part:
    """A part as the others link it: its name, and its path below the language's root."""

    name: Markup
    path: str


@dataclass(frozen=True, slots=True)
class Cut:
    """The number of a part, from 1, its path and the links to all parts."""

    number: int
    path: str
    parts: tuple[Part, ...]

    @property
    def values(self) -> dict[str, object]:
        """What templates take of it."""
        return {"number": self.number, "part_names": self.parts}


def split(
    folder: str, cut: Sequence[Sequence[Item]], name: Callable[[int, Sequence[Item]], Markup]
) -> Iterator[tuple[Cut, Sequence[Item]]]:
    """The parts of a page in a folder; one without anything in it where there is nothing. `name` names a part."""
    cut = cut or [[]]
    paths = [f"{folder}{f'{number}/' if number > 1 else ''}index.html" for number in range(1, len(cut) + 1)]
    named = len(cut) > 1
    parts = (
        tuple(Part(name(at, some), path) for at, (some, path) in enumerate(zip(cut, paths, strict=True), 1))
        if named
        else ()
    )
    for number, (path, some) in enumerate(zip(paths, cut, strict=True), 1):
        yield Cut(number, path, parts), some


def chunks(items: Sequence[Item], most: int) -> list[Sequence[Item]]:
    """Cut items into parts of at most so many."""
    return [items[start : start + most] for start in range(0, len(items), most)]
