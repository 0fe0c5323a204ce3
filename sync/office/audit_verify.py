"""`doorstep audit verify`: what of an exported log does not hold, by name; offline, with the agency's root key alone.

One pass and bounded memory: two trees of a hash per binary digit, one grown from the leaves' data and one from the
hashes that the office kept. A leaf that lacks spoils its tile only; behind it the kept root of the tile goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from field_api.platform.bounded_json import loads
from field_api.platform.sealing import Unsealable, b64u, from_b64u, same, sha256
from sync.merkle import TILE_WIDTH, GrowingTree
from sync.office.audit import EXPORT_CONTEXT
from sync.office.audit_leaf import Erasure, Leaf, UnreadableLeaf, read_leaf
from sync.office.audit_lines import MAX_HEAD_BYTES, MAX_LINE_BYTES, Seen, read_head, size_of, strict, whole
from sync.office.audit_report import Report
from sync.office.audit_trust import UNREADABLE, Trust
from sync.office.log import CHECKPOINT_CONTEXT, MAX_LEVELS

MAX_NAMED = 100_000
"""Leaves that wait for the word that explains them; more are counted, not named."""
_LACKS = bytes(32)


def verify_export(lines: Iterable[bytes], root_public: bytes, seen: Iterable[Seen] = ()) -> Report:
    """Everything that does not hold in an exported log. Never raises for what is in the lines."""
    reader, report = iter(lines), Report()
    try:
        head = read_head(next(reader))
        trust = Trust(str(head["agency"]), root_public, head["roots"], head["certificates"])
        for place, what in trust.troubles:
            report.add(place, what)
        if not trust.signed("office", EXPORT_CONTEXT + head["signed"], head["signature"]).by_root:
            raise Unsealable("an older root")
        report.exported_at = str(head["at"])
        newest, count = from_b64u(head["checkpoint"]), whole(head["checkpoints"])
    except (StopIteration, *UNREADABLE) as error:
        report.add("head", f"not signed by this agency's office ({type(error).__name__})")
        return report
    reading = _Reading(report, trust, {each.size: each for each in seen})
    for number, line in enumerate(reader, start=2):
        reading.take(number, line)
    reading.finish(newest, count)
    return report


class _Reading:
    def __init__(self, report: Report, trust: Trust, seen: dict[int, Seen]) -> None:
        self.report, self.trust, self.seen = report, trust, seen
        self.data, self.kept = GrowingTree(), GrowingTree()  # of leaves as they read, of hashes as the office kept them
        self.gap = False  # a leaf of this tile lacks: its node will stand for all of it
        self.lost = False  # the trees give no signed root any more: said once
        self.due: list[tuple[int, int]] = []  # nodes that must come before anything else
        self.absent: dict[int, None] = {}  # numbers that were passed over
        self.gone: dict[int, tuple[str, str]] = {}  # place and what is gone, until an erasure says why
        self.decisions = bytearray()  # 1 for each leaf that is one
        self.last_statement: bytes | None = None
        self.last_size = self.checkpoints = 0
        self.chained = False

    def take(self, number: int, line: bytes) -> None:
        try:
            document = strict(line, MAX_LINE_BYTES)
            keys = frozenset(document)
            if keys == {"outside"}:
                self.report.add(str(document["outside"]), "a row that is in no leaf of the log")
            elif keys == {"level", "position", "hash"}:
                self._node((whole(document["level"]), whole(document["position"])), from_b64u(document["hash"]))
            elif keys == {"size", "root", "checkpoint", "sig"}:
                self._checkpoint(document)
            else:
                self._leaf(read_leaf(document, self.trust))
        except UnreadableLeaf as error:
            self.report.add(f"line {number}", str(error))
        except UNREADABLE:
            self.report.add(f"line {number}", "unreadable")

    def _leaf(self, leaf: Leaf) -> None:
        self._nothing_due()
        if leaf.number < self.data.size:
            self.absent.pop(leaf.number, None)
            self.report.add(leaf.place, "out of order")
            return
        self._pass_over(leaf.number)
        for what in leaf.troubles:
            self.report.add(leaf.place, what)
        self._grow(leaf.computed or leaf.kept or _LACKS, leaf.kept or leaf.computed or _LACKS)
        self.decisions[leaf.number] = leaf.kind == "decision"
        if leaf.gone:
            self._note_gone(leaf)
        if leaf.erases is not None:
            self._erasure(leaf, leaf.erases)

    def _pass_over(self, number: int) -> None:
        """Leaves that should stand before this one; so far a gap, and no memory is spent on a made-up number."""
        if number - self.data.size > MAX_NAMED:
            raise UnreadableLeaf(f"leaf {number}: too far behind leaf {self.data.size - 1}")
        while self.data.size < number:
            self.absent[self.data.size] = None
            self._grow(_LACKS, _LACKS)
            self.gap = self.lost = True
        if len(self.absent) > MAX_NAMED:
            self._name_absent()

    def _pass_over_a_few(self, size: int) -> None:
        """Leaves that should stand before a node or a checkpoint; many more would be one that was moved."""
        if 0 < size - self.data.size <= TILE_WIDTH:
            self._nothing_due()
            self._pass_over(size)

    def _grow(self, data: bytes, kept: bytes) -> None:
        self.data.append(data)
        self.due = self.kept.append(kept)
        self.decisions.append(0)

    def _node(self, name: tuple[int, int], value: bytes) -> None:
        level, position = name
        place = f"node {position} of level {level}"
        if 0 < level <= MAX_LEVELS:
            self._pass_over_a_few((position + 1) * TILE_WIDTH**level)
        if name not in self.due:
            self.report.add(place, "out of order, or nothing stands below it")
            return
        while self.due[0] != name:
            self._lacks(self.due.pop(0))
        self.due.pop(0)
        if self.gap:  # its own leaves cannot tell: the tile's root stands for them, and the next checkpoint judges it
            self.gap = self.lost = False
            self.data.replace(level, value)
            self.kept.replace(level, value)
            return
        data, kept = self.data.node(level), self.kept.node(level)
        if value not in (data, kept):
            self.report.add(place, "changed, or the leaves below it are")
        if value != kept:
            self.kept.replace(level, value)
        elif value != data:
            self.data.replace(level, value)

    def _nothing_due(self) -> None:
        for name in self.due if not self.gap else ():  # whoever took the leaves may have taken it along
            self._lacks(name)
        self.due = []

    def _lacks(self, name: tuple[int, int]) -> None:
        self.report.add(f"node {name[1]} of level {name[0]}", "missing")

    def _checkpoint(self, line: dict[str, Any]) -> None:
        self._nothing_due()
        size = whole(line["size"])
        place = f"checkpoint at {size}"
        self.checkpoints += 1
        statement = from_b64u(line["checkpoint"])
        try:
            claims = loads(statement, max_bytes=MAX_HEAD_BYTES)
            signer = self.trust.signed("office", CHECKPOINT_CONTEXT + statement, from_b64u(line["sig"]))
            root, before = from_b64u(claims["root"]), claims.get("prev")
            if claims["agency"] != self.trust.agency or datetime.fromisoformat(claims["at"]) >= signer.until:
                raise Unsealable("another agency, or after its key's time")
        except UNREADABLE:
            self.report.add(place, "changed: not signed by this agency's office")
            self.last_statement = None
            return
        if (claims["size"], claims["root"]) != (size, line["root"]):
            self.report.add(place, "changed: its row says another size or root than what is signed")
        if size <= self.last_size:
            self.report.add(place, "out of order")
        self._chain(place, statement, before)
        self.last_size = max(size, self.last_size)
        self._compare(place, claims["size"], root)

    def _chain(self, place: str, statement: bytes, before: object) -> None:
        """Each names the one before it; ones from before they did so stand at the beginning."""
        first = self.checkpoints == 1
        expected = None if first else b64u(sha256(self.last_statement)) if self.last_statement else before
        if before != expected and (before is not None or self.chained or first):
            self.report.add(place, "the one before it was removed, put in or moved, or the log was forked")
        self.chained = self.chained or before is not None
        self.last_statement = statement

    def _compare(self, place: str, size: int, root: bytes) -> None:
        self._pass_over_a_few(size)
        if size != self.data.size:
            self.report.add(place, f"does not stand behind the leaf that it ends with ({self.data.size} were read)")
        elif not self._gives(root) and not self.lost:
            self.lost = True
            self.report.add(place, "the leaves before it do not give its signed root")
        known = self.seen.pop(size, None)
        if known is not None and not same(known.root, root):
            self.report.add(place, "another log than the one that was seen elsewhere")

    def _gives(self, root: bytes) -> bool:
        return same(self.data.root(), root) or same(self.kept.root(), root)

    def _note_gone(self, leaf: Leaf) -> None:
        if len(self.gone) < MAX_NAMED:
            self.gone[leaf.number] = (leaf.place, leaf.gone)
        else:
            self.report.add(leaf.place, f"{leaf.gone}, and too many others are")

    def _erasure(self, leaf: Leaf, erasure: Erasure) -> None:
        decision = erasure.decision
        if decision is None or not (0 <= decision < leaf.number and self.decisions[decision]):
            self.report.add(leaf.place, "an erasure without a decision")
            return
        for number in erasure.leaves:
            place, _ = self.gone.pop(number, (None, None))
            if place is None:
                self.report.add(f"leaf {number}", f"erased by decision {decision}, and what it stands for is there")
            elif len(self.report.erasures) < MAX_NAMED:
                what = "its photograph was erased" if erasure.what == "photograph" else "erased"
                self.report.erasures.append(f"{place}: {what} by decision {decision}")

    def _name_absent(self) -> None:
        for first, last in _runs(self.absent):
            place = f"leaf {first}" if first == last else f"leaves {first} to {last}"
            self.report.add(place, "missing")
        self.absent = {}

    def finish(self, newest: bytes, checkpoints: int) -> None:
        """`newest` is the checkpoint that the head names, `checkpoints` how many there were."""
        self._nothing_due()
        self._name_absent()
        for place, what in self.gone.values():
            self.report.add(place, what)
        size = size_of(newest)
        if self.data.size < size:
            self.report.add(f"leaves {self.data.size} to {size - 1}", "missing")
        if self.data.size > self.last_size:
            what = "no checkpoint covers them: the newest ones were removed, or they were put in"
            self.report.add(f"leaves {self.last_size} to {self.data.size - 1}", what)
        if self.last_statement != newest or self.checkpoints != checkpoints:
            self.report.add("checkpoints", f"{self.checkpoints} of {checkpoints}, or the newest is another one")
        for seen in self.seen.values():
            what = "seen elsewhere, and not in this log: its end was cut off, or it was forked"
            self.report.add(f"checkpoint at {seen.size}", what)
        self.report.leaves, self.report.checkpoints = self.data.size, self.checkpoints


def _runs(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = None
    for number in numbers:
        if first is not None and last is not None and number == last + 1:
            last = number
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = number
    if first is not None and last is not None:
        yield first, last
