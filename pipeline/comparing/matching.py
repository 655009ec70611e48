"""Which rows of another tracker's list are which of our agreements: multisets matched step by step, nothing guessed.

First state, name (typography and usual abbreviations apart) and model; then, within a state and model, names that are
one another's misspelling; then names that have one row left on each side under two models; then rows whose model cannot
be read, with what is left of their agency. A step pairs what is unambiguous in both directions; what may be several is
unsettled. A row that says what an earlier one says, where ours has no second such agreement, is a repetition.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from db.records import Values
from pipeline.reading.places import county_base, fold
from pipeline.reports.comparison import Compared, Entry, Nearest, Pair, Repeated, Table, Unsettled
from pipeline.reports.record import Listed, Standing
from pipeline.tracking import names
from pipeline.tracking.names import Likeness

Couple = tuple[Entry, Listed]

_NEAR = 75.0
"""How alike, of 100, the places of two names must be for one to be shown beside the other: Cobb and Bibb are 50."""
_LOOK = 10
"""Our agreements that are weighed against such a name."""
_FEW = 5
"""The states that a file may have to be called a list of only those."""


def compare(
    standing: Standing, table: Table, states: Sequence[str] = (), doubles: Sequence[tuple[str, Entry]] = ()
) -> Compared:
    """Set a list beside ours; of theirs only rows of these states, and those whose state cannot be read.

    `standing` must be of these states already. No states are all. `doubles` are the rows that ICE's own list has of an
    agreement besides the one in `standing`, each with the agreement's id: a row there that says the same is repeated.
    """
    entries = [entry for entry in table.entries if not states or entry.state in (None, *states)]
    repeated = _repeated(entries, standing.listed)
    again = {id(one.there) for one in repeated}
    matching = _Matching((entry for entry in entries if id(entry) not in again), standing.listed)
    matching.by_name()
    matching.by_spelling()
    matching.by_agency()
    matching.by_agency_alone()
    doubled = list(_doubled(matching, doubles))
    repeated = sorted((*repeated, *doubled), key=lambda one: one.there.row)
    again = {id(one.there) for one in doubled}
    only_there = [entry for entry in matching.theirs if id(entry) not in again]
    told = [Pair(there, here, _differences(there, here)) for there, here in matching.pairs]
    differing = sorted((pair for pair in told if pair.differences), key=lambda pair: pair.there.row)
    return Compared(
        standing,
        table,
        len(told) - len(differing),
        tuple(differing),
        tuple(only_there),
        tuple(matching.ours),
        tuple(sorted(matching.unsettled, key=lambda group: group.there[0].row)),
        tuple(repeated),
        _nearest(only_there, standing.listed),
        len({entry.row for entry in entries}),
        tuple(states),
        () if states else _few_states(entries, standing.listed),
    )


def _few_states(theirs: Iterable[Entry], ours: Iterable[Listed]) -> tuple[str, ...]:
    """The states of a file that is of few only, where ours has others too; else none."""
    there = {entry.state for entry in theirs if entry.state}
    others = {item.terms.state for item in ours} - there
    return tuple(sorted(there)) if 0 < len(there) <= _FEW and others else ()


def _repeated(theirs: Iterable[Entry], ours: Iterable[Listed]) -> list[Repeated]:
    """Rows that say again what one before them says, beyond as many as ours has of such agreements."""
    here = Counter((*_named(item), _model(item), signed) for item in ours for signed in {item.terms.signed_on, None})
    same: dict[object, list[Entry]] = defaultdict(list)
    for entry in theirs:
        same[*_agency(entry), entry.support_model, entry.signed_on, entry.county].append(entry)
    found = [
        Repeated(entry, group[0].row)
        for group in same.values()
        for entry in group[max(1, here[*_agency(group[0]), group[0].support_model, group[0].signed_on]) :]
    ]
    return sorted(found, key=lambda one: one.there.row)


def _doubled(matching: "_Matching", doubles: Iterable[tuple[str, Entry]]) -> Iterator[Repeated]:
    """Rows that are left there and say what a second row of ICE's says of an agreement that they have already."""
    paired = {item.terms.agreement_id: entry.row for entry, item in matching.pairs}
    again: dict[object, list[int]] = defaultdict(list)
    for ident, double in doubles:
        if ident in paired:
            again[*_agency(double), double.support_model, double.signed_on].append(paired[ident])
    for entry in matching.theirs:
        if rows := again.get((*_agency(entry), entry.support_model, entry.signed_on)):
            yield Repeated(entry, rows.pop())


def _nearest(theirs: Iterable[Entry], ours: Iterable[Listed]) -> dict[Entry, Nearest]:
    """For rows that are only there, our agreement in that state with the likeliest name, where one is near."""
    here: dict[str | None, list[Listed]] = defaultdict(list)
    for item in ours:
        here[item.terms.state].append(item)
    places = {state: [_place(item.terms.agency, state) for item in items] for state, items in here.items()}
    found: dict[Entry, Nearest] = {}
    weighed: dict[tuple[str | None, str], list[tuple[float, float, Listed]]] = {}
    for entry in theirs:
        name = entry.state, entry.agency
        if name not in weighed:
            wanted = _place(entry.agency, entry.state)
            near = process.extract(
                wanted, places.get(entry.state, ()), scorer=fuzz.ratio, score_cutoff=_NEAR, limit=_LOOK
            )
            some = [(score, here[entry.state][at]) for _, score, at in near] if wanted else []
            weighed[name] = [(score, _alike(entry, item), item) for score, item in some]
        if weighed[name]:
            best = max(weighed[name], key=lambda one: (*one[:2], _model(one[2]) == entry.support_model))
            found[entry] = Nearest(best[2], round(best[1], 1))
    return found


def _place(name: str, state: str | None) -> str:
    """What tells where an agency is; its whole name where nothing does."""
    parsed = names.parse(name, state) if fold(name) else None
    return (" ".join(parsed.place) or parsed.key) if parsed else ""


def _alike(entry: Entry, item: Listed) -> float:
    return float(fuzz.token_sort_ratio(_agency(entry)[1], _named(item)[1]))


class _Matching:
    """What is matched, and what is left on both sides."""

    def __init__(self, theirs: Iterable[Entry], ours: Iterable[Listed]) -> None:
        self._theirs = tuple(theirs)
        self._ours = tuple(ours)
        self._gone: set[int] = set()
        self.pairs: list[Couple] = []
        self.unsettled: list[Unsettled] = []

    @property
    def theirs(self) -> list[Entry]:
        """Their rows that are left."""
        return [entry for entry in self._theirs if id(entry) not in self._gone]

    @property
    def ours(self) -> list[Listed]:
        """Our agreements that are left."""
        return [item for item in self._ours if id(item) not in self._gone]

    def by_name(self) -> None:
        """Equal state, name and model; of several, those signed on the same day."""
        for there, here in self._groups(lambda e: (*_agency(e), e.support_model), lambda o: (*_named(o), _model(o))):
            self._settle(there, here)

    def _settle(self, there: list[Entry], here: list[Listed]) -> None:
        for alike in (_in_all, _in_date):
            for entry in list(there):
                same = next((item for item in here if alike(entry, item)), None)
                if same is not None:
                    self._pair(entry, same)
                    there.remove(entry)
                    here.remove(same)
        undated = not any(entry.signed_on for entry in there)
        if len(there) == len(here) and (len(there) == 1 or undated):
            for entry, item in zip(there, here, strict=True):
                self._pair(entry, item)
        elif there and here:
            self._leave_open(there, here)

    def by_spelling(self) -> None:
        """Names that are one another's misspelling, in one state under one model; first those signed on one day."""
        near = [
            couple
            for there, here in self._groups(lambda e: (e.state, e.support_model), lambda o: (o.terms.state, _model(o)))
            for couple in _misspelt(there, here)
        ]
        self._couple([(e, o) for e, o in near if e.signed_on and _in_date(e, o)], leave_open=False)
        left = [(e, o) for e, o in near if not self._gone & {id(e), id(o)}]
        self._couple(left, leave_open=True)

    def by_agency(self) -> None:
        """One agreement left on each side of one agency, under two models, not signed on two days."""
        for there, here in self._groups(_agency, _named):
            if len(there) == len(here) == 1:
                days = {there[0].signed_on, here[0].terms.signed_on} - {None}
                if len(days) < 2:
                    self._pair(there[0], here[0])

    def by_agency_alone(self) -> None:
        """Where the model of one of two cannot be read: what is left of the agency, first what was signed on one day.

        One that is left on each side is a pair; with several, nothing is guessed.
        """
        for alike in (_same_name, _misspelt):
            near = [
                (entry, item)
                for there, here in self._groups(lambda e: e.state, lambda o: o.terms.state)
                for some, others in _without_model(there, here)
                for entry, item in alike(some, others)
            ]
            self._couple([(e, o) for e, o in near if e.signed_on and _in_date(e, o)], leave_open=False)
            self._couple([(e, o) for e, o in near if not self._gone & {id(e), id(o)}], leave_open=True)

    def _couple(self, near: Sequence[Couple], *, leave_open: bool) -> None:
        """Pair those that have no other choice; leave the others open, together with all that they may be."""
        near = sorted(near, key=lambda couple: (couple[0].row, couple[1].row))
        there: dict[int, list[Listed]] = defaultdict(list)
        here: dict[int, list[Entry]] = defaultdict(list)
        for entry, item in near:
            there[id(entry)].append(item)
            here[id(item)].append(entry)
        only = [(e, o) for e, o in near if len(there[id(e)]) == len(here[id(o)]) == 1]
        for entry, item in only:
            self._pair(entry, item)
        if leave_open:
            settled = {id(entry) for entry, _ in only}
            for group in _connected([(e, o) for e, o in near if id(e) not in settled]):
                self._leave_open(*group)

    def _groups(
        self, of_theirs: Callable[[Entry], object], of_ours: Callable[[Listed], object]
    ) -> list[tuple[list[Entry], list[Listed]]]:
        """What is left on both sides, by a key, where both have it."""
        there: dict[object, list[Entry]] = defaultdict(list)
        here: dict[object, list[Listed]] = defaultdict(list)
        for entry in self.theirs:
            there[of_theirs(entry)].append(entry)
        for item in self.ours:
            here[of_ours(item)].append(item)
        return [(some, here[key]) for key, some in there.items() if key in here]

    def _pair(self, entry: Entry, item: Listed) -> None:
        self.pairs.append((entry, item))
        self._take([entry], [item])

    def _leave_open(self, there: Sequence[Entry], here: Sequence[Listed]) -> None:
        self.unsettled.append(Unsettled(tuple(there), tuple(here)))
        self._take(there, here)

    def _take(self, there: Sequence[Entry], here: Sequence[Listed]) -> None:
        self._gone.update(map(id, (*there, *here)))


def _in_date(entry: Entry, item: Listed) -> bool:
    return entry.signed_on == item.terms.signed_on


def _without_model(
    there: Sequence[Entry], here: Sequence[Listed]
) -> Iterator[tuple[Sequence[Entry], Sequence[Listed]]]:
    """Those whose model cannot be read beside all of the other side; each two once."""
    yield [entry for entry in there if entry.support_model is None], here
    yield [entry for entry in there if entry.support_model], [item for item in here if _model(item) is None]


def _same_name(there: Iterable[Entry], here: Iterable[Listed]) -> Iterator[Couple]:
    """All couples of one name."""
    named: dict[object, list[Listed]] = defaultdict(list)
    for item in here:
        named[_named(item)].append(item)
    for entry in there:
        for item in named.get(_agency(entry), ()):
            yield entry, item


def _misspelt(there: Iterable[Entry], here: Iterable[Listed]) -> Iterator[Couple]:
    """All couples of names that are one another's misspelling.

    However often a name is repeated, it is weighed once, and only against names that may come near it.
    """
    ours: dict[Values, list[Listed]] = defaultdict(list)
    for item in here:
        ours[_name_of(item)].append(item)
    theirs: dict[Values, list[Entry]] = defaultdict(list)
    for entry in there:
        theirs[_name(entry)].append(entry)
    spelt = _Spelt(tuple(ours))
    for name, entries in theirs.items():
        for other in spelt.like(name):
            yield from ((entry, item) for entry in entries for item in ours[other])


class _Spelt:
    """Names of one state, among which misspellings of another are looked for."""

    def __init__(self, all_names: Sequence[Values]) -> None:
        self._names = all_names

    @cached_property
    def _places(self) -> list[str]:
        return [names.of(name).compact for name in self._names]

    @cached_property
    def _by_words(self) -> Mapping[tuple[str, ...], list[int]]:
        found: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for at, name in enumerate(self._names):
            found[tuple(sorted(set(names.of(name).place)))].append(at)
        return found

    def like(self, name: Values) -> Iterator[Values]:
        """The names that it misspells, or that misspell it."""
        parsed = names.of(name)
        edits = max(_EDITS, _EDITS_A_WORD * len(parsed.place))
        near = process.extract(
            parsed.compact, self._places, scorer=OSA.distance, score_cutoff=edits, limit=None, processor=None
        )
        places = {at for _, _, at in near} | {*self._by_words.get(tuple(sorted(set(parsed.place))), ())}
        for at in sorted(places):
            if names.compare(name, self._names[at]) >= Likeness.MISSPELT:
                yield self._names[at]


_EDITS, _EDITS_A_WORD = 4, 2
"""Places further apart than this are nobody's misspelling (`pipeline.tracking.names`), and need not be weighed."""


def _in_all(entry: Entry, item: Listed) -> bool:
    spelt = fold(entry.agency) == fold(item.terms.agency)
    return _in_date(entry, item) and spelt and entry.county == item.terms.county


def _connected(couples: Sequence[Couple]) -> list[tuple[list[Entry], list[Listed]]]:
    """Couples that share a side, together."""
    above: dict[int, int] = {}

    def head(one: int) -> int:
        while (higher := above.setdefault(one, one)) != one:
            above[one] = above[higher]
            one = above[one]
        return one

    for entry, item in couples:
        above[head(id(entry))] = head(id(item))
    groups: dict[int, tuple[dict[int, Entry], dict[int, Listed]]] = defaultdict(lambda: ({}, {}))
    for entry, item in couples:
        there, here = groups[head(id(entry))]
        there[id(entry)] = entry
        here[id(item)] = item
    return [(list(there.values()), list(here.values())) for there, here in groups.values()]


def _agency(entry: Entry) -> tuple[str | None, str]:
    return entry.state, _key(entry.agency, entry.state)


def _named(item: Listed) -> tuple[str | None, str]:
    return item.terms.state, _key(item.terms.agency, item.terms.state)


def _key(name: str, state: str | None) -> str:
    return names.parse(name, state).key if fold(name) else ""


def _model(item: Listed) -> str | None:
    return item.terms.support_model


def _name(entry: Entry) -> Values:
    """What of a row bears on whose name it is."""
    return Values(entry.state, entry.agency, None, entry.county, None, None, None, None)


def _name_of(item: Listed) -> Values:
    return Values(item.terms.state, item.terms.agency, None, item.terms.county, None, None, None, None)


def _differences(there: Entry, here: Listed) -> dict[str, tuple[str | None, str | None]]:
    """The fields in which a pair differs; a date only where they state one, a county only where both do."""
    terms = here.terms
    found: dict[str, tuple[str | None, str | None]] = {}
    if fold(there.agency) != fold(terms.agency):
        found["agency"] = there.agency, terms.agency
    if there.support_model != terms.support_model:
        found["model"] = there.support_model, terms.support_model
    if there.signed_on and there.signed_on != terms.signed_on:
        found["signed"] = there.signed_on, terms.signed_on
    if there.county and terms.county and county_base(there.county) != county_base(terms.county):
        found["county"] = there.county, terms.county
    return found
