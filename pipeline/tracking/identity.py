"""Which listing of a new publication is which agreement.

First the rows that are the same beyond doubt are paired as multisets; what is left on both sides is weighed pair by
pair, and the pairs are chosen so that the sum of the evidence is greatest (a maximum-weight matching): each row goes
to at most one agreement, whatever the order of the rows.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from db.records import Values
from pipeline.reading.links import document
from pipeline.tracking import names
from pipeline.tracking.evidence import Candidate, Surroundings, Weight, weigh

MAX_CANDIDATES = 200_000
"""Pairs weighed for one publication; where that is not enough, the publication is held."""

MAX_PER_MARK = 50
"""What more rows than this have in common (a gap of a list whose whole middle was corrected) is no mark of any."""

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """An old row and a new row (indices) that are taken for one agreement, and why; `weight` is None if exact."""

    old: int
    new: int
    weight: Weight | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """The pairs, what is left over on each side, and for each leftover the best pair that was not taken.

    `complete` is False if there were more pairs than could be weighed: what is left over then means nothing.
    """

    pairs: tuple[Pair, ...]
    vanished: tuple[int, ...]
    appeared: tuple[int, ...]
    best_for_vanished: dict[int, tuple[int, Weight]]
    best_for_appeared: dict[int, tuple[int, Weight]]
    complete: bool = True


def exact_key(values: Values) -> Key:
    """Two rows with equal keys list the same agency, model and signing.

    Remembered by identity, since reading gives one object for the rows that repeat from list to list.
    """
    known = _keys.get(id(values))
    if known is None or known[0] is not values:
        if len(_keys) > _MOST_KEYS:
            _keys.clear()
        known = (values, (values.state, names.base(values), values.support_model, values.signed_on))
        _keys[id(values)] = known
    return known[1]


_keys: dict[int, tuple[Values, Key]] = {}
_MOST_KEYS = 20_000


def pair_exact(old: Sequence[Values], new: Sequence[Values]) -> list[tuple[int, int]]:
    """Pair rows of equal keys as multisets; among equals, those with the same details first.

    Rows whose cells have not changed share one `Values` object, since reading is cached: most rows pair by that alone.
    """
    unchanged: dict[int, list[int]] = defaultdict(list)
    for i, values in enumerate(old):
        unchanged[id(values)].append(i)
    pairs, fresh_rows, taken = [], [], set()
    for j, values in enumerate(new):
        if same := unchanged.get(id(values)):
            pairs.append((same.pop(0), j))
            taken.add(pairs[-1][0])
        else:
            fresh_rows.append(j)
    waiting: dict[Key, list[int]] = defaultdict(list)
    for i, values in enumerate(old):
        if i not in taken:
            waiting[exact_key(values)].append(i)
    crowded: dict[Key, list[int]] = defaultdict(list)
    for j in fresh_rows:
        if (key := exact_key(new[j])) in waiting:
            crowded[key].append(j)
    for key, fresh in crowded.items():
        for likeness in (_details, _county_only, _nothing):
            pairs += _take_equal(waiting[key], fresh, old, new, likeness)
    return sorted(pairs)


def _details(values: Values) -> Key:
    return values.county, document(values.moa_url), values.agency_type


def _county_only(values: Values) -> Key:
    return (values.county,)


def _nothing(_values: Values) -> Key:
    return ()


def _take_equal(
    known: list[int], fresh: list[int], old: Sequence[Values], new: Sequence[Values], key: Callable[[Values], Key]
) -> list[tuple[int, int]]:
    """Pair and remove those that agree in `key`, in order."""
    taken = []
    for j in list(fresh):
        i = next((i for i in known if key(old[i]) == key(new[j])), None)
        if i is not None:
            known.remove(i)
            fresh.remove(j)
            taken.append((i, j))
    return taken


def pair_rest(
    old: Sequence[Values],
    new: Sequence[Values],
    exact: Sequence[tuple[int, int]],
    around: Callable[[], Surroundings],
    accept: float,
    overrule: Callable[[int, int], bool | None] = lambda _old, _new: None,
) -> Pairing:
    """Pair what the exact pairs have left over, by the weight of the evidence.

    Args:
        old: the rows of the list before, in worksheet order.
        new: the rows of this list, in worksheet order.
        exact: the pairs that are already made, as indices.
        around: gives the surroundings, asked only if rows are left on both sides.
        accept: the least score of a pair.
        overrule: whether two rows (by index) are one agreement beyond the evidence (True), are not (False), or neither.
    """
    vanished = sorted(set(range(len(old))) - {i for i, _ in exact})
    appeared = sorted(set(range(len(new))) - {j for _, j in exact})
    pairs = [Pair(i, j) for i, j in exact]
    if not vanished or not appeared:
        return Pairing(tuple(pairs), tuple(vanished), tuple(appeared), {}, {})
    befores = _place(old, vanished, exact, 0)
    afters = _place(new, appeared, exact, 1)
    weights, complete = _weigh_all(befores, afters, around())
    for i in vanished:
        for j in appeared:
            if (verdict := overrule(i, j)) is not None:
                weights[i, j] = Weight(100.0 if verdict else -100.0, names.Likeness.EQUAL, {"overruled": str(verdict)})
    chosen = choose({key: w.score - accept for key, w in weights.items() if w.score >= accept})
    pairs += [Pair(i, j, weights[i, j]) for i, j in chosen]
    gone, come = {i for i, _ in chosen}, {j for _, j in chosen}
    rejected = {key: w for key, w in weights.items() if key[0] not in gone and key[1] not in come}
    return Pairing(
        tuple(sorted(pairs, key=lambda p: p.new)),
        tuple(i for i in vanished if i not in gone),
        tuple(j for j in appeared if j not in come),
        _best(rejected, 0),
        _best(rejected, 1),
        complete,
    )


def _best(weights: dict[tuple[int, int], Weight], side: int) -> dict[int, tuple[int, Weight]]:
    best: dict[int, tuple[int, Weight]] = {}
    for key in sorted(weights, key=lambda k: (weights[k].score, k)):
        best[key[side]] = (key[1 - side], weights[key])
    return best


def _place(
    rows: Sequence[Values], left: Sequence[int], exact: Iterable[tuple[int, int]], side: int
) -> dict[int, Candidate]:
    """Give each leftover row its gap: the exact pairs (by their number) before and behind it, and its step between."""
    number = {pair[side]: count for count, pair in enumerate(sorted(exact))}
    placed: dict[int, Candidate] = {}
    wanted = set(left)
    before, step, waiting = -1, 0, list[tuple[int, int]]()
    for index in range(len(rows) + 1):
        if index in wanted:
            waiting.append((index, step))
            step += 1
            continue
        behind = number.get(index, -2)
        for i, at in waiting:
            placed[i] = Candidate(rows[i], (before, behind) if number else None, at)
        before, step, waiting = behind, 0, []
    return placed


def _weigh_all(
    old: dict[int, Candidate], new: dict[int, Candidate], around: Surroundings
) -> tuple[dict[tuple[int, int], Weight], bool]:
    """Weigh the pairs that have something in common: a document, a name, a telling word and the state, or a gap."""
    by_mark: dict[Key, list[int]] = defaultdict(list)
    for j, candidate in new.items():
        for mark in _marks(candidate):
            by_mark[mark].append(j)
    common = {mark for mark, rows in by_mark.items() if len(rows) > MAX_PER_MARK}
    weights: dict[tuple[int, int], Weight] = {}
    for i, candidate in old.items():
        marks = _marks(candidate) - common
        for j in sorted({j for mark in marks for j in by_mark.get(mark, ())}):
            weights[i, j] = weigh(candidate, new[j], around)
            if len(weights) >= MAX_CANDIDATES:
                return weights, False
    return weights, True


def _marks(candidate: Candidate) -> set[Key]:
    values = candidate.values
    name = names.of(values)
    marks: set[Key] = {("name", name.key), ("place", name.compact)}
    if candidate.gap is not None:
        marks.add(("gap", candidate.gap))
    marks |= {("word", values.state, word[:4]) for word in name.place}
    if values.county:
        marks.add(("county", values.state, values.county))
    if moa := document(values.moa_url):
        marks.add(("moa", moa))
    return marks


def choose(gains: dict[tuple[int, int], float]) -> list[tuple[int, int]]:
    """The set of pairs, each row in at most one, with the greatest sum of gains.

    Ties are broken towards lower indices, so that the same input always gives the same pairs.
    """
    olds, news = Counter(i for i, _ in gains), Counter(j for _, j in gains)
    clear = [(i, j) for i, j in gains if olds[i] == 1 and news[j] == 1]
    knotted = {key: gain for key, gain in gains.items() if olds[key[0]] > 1 or news[key[1]] > 1}
    if not knotted:
        return sorted(clear)
    import networkx as nx

    graph: nx.Graph[tuple[str, int]] = nx.Graph()
    for (i, j), gain in sorted(knotted.items()):
        graph.add_edge(("old", i), ("new", j), weight=round(1000 * (gain + 1)) * 1000 - (i + j) % 997)
    for one, other in nx.max_weight_matching(graph):
        i, j = (one[1], other[1]) if one[0] == "old" else (other[1], one[1])
        clear.append((i, j))
    return sorted(clear)
