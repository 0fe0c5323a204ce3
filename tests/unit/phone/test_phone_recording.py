"""What an agent records: on the disk before it counts, sealed to the agency, within the phone's own rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from phone_world import World

from field_api.platform.sealing import b64u, from_b64u, sha256
from sync.phone import NotAllowed, Phone, ShiftedClock

RIGHT = {"birth_date": "31/12/1956", "mother_maiden_name": "peña"}
WRONG = {"birth_date": "31/12/1956", "mother_maiden_name": "ruiz"}
CODE = "0123-4567-89abc"


def _read(world: World, phone: Phone) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(protected, content) of every operation in the queue, verified and opened as the office does."""
    return [world.office.read_op(kept["document"]) for _, kept in phone.handset.store.all("op")]


def test_the_chain_is_dense_and_linked_from_the_first_operation(world: World, phone: Phone) -> None:
    for words in ("one", "two", "three"):
        phone.note(world.visits[0], words)
    ops = [kept["document"] for _, kept in phone.handset.store.all("op")]
    previous = bytes(32)
    for number, op in enumerate(ops, start=1):
        claims, _ = world.office.read_op(op)
        assert (claims["seq"], claims["prev"]) == (number, b64u(previous))
        parts = sha256(from_b64u(op["protected"])) + sha256(from_b64u(op["ct"]))
        previous = sha256(b"doorstep-chain-v1" + parts)


def test_the_protected_part_has_ids_and_clocks_and_no_kind(world: World, phone: Phone) -> None:
    phone.record_outcome(world.visits[0], "nobody_there", {"signs_of_life": True})
    ((claims, content),) = _read(world, phone)
    assert content == {"kind": "outcome", "body": {"outcome": "nobody_there", "signs_of_life": True}}
    assert list(claims) == [
        "v", "agency", "device", "op", "epoch", "seq", "visit", "av", "prev", "deps", "photos", "anchor",
        "anchor_mono_ms", "wall", "mono_ms", "boot", "key", "size",
    ]  # fmt: skip
    assert claims["size"] == 512 and claims["av"] == 1 and claims["op"][14] == "7"


def test_sizes_go_by_buckets(world: World, phone: Phone) -> None:
    import random

    noise = random.Random(1)
    for length in (10, 500, 2_000):
        phone.note(world.visits[0], "".join(chr(noise.randrange(0x4E00, 0x9FFF)) for _ in range(length)))
    assert [claims["size"] for claims, _ in _read(world, phone)] == [512, 2_048, 8_192]
    with pytest.raises(NotAllowed, match="too-large"):
        phone.note(world.visits[0], "".join(chr(noise.randrange(0x4E00, 0x9FFF)) for _ in range(20_000)))
    assert phone.status()["ops_recorded"] == 3


def test_right_answers_open_the_brief_and_the_try_is_on_record_first(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    visit = at_the_door()
    seen: list[str] = []
    phone.handset.step = seen.append
    check = phone.check_identity(visit, world.person, RIGHT)
    assert seen[-1] == "op.stored"
    assert check.passed and check.brief is not None
    assert check.brief.contents["accounts"][0]["balance_minor"] == 918273
    assert "918273" not in repr(check) + repr(check.brief)
    claims, content = _read(world, phone)[-1]
    assert content["body"] == {
        "method": "answers", "passed": True, "claim": "sought", "person": world.person, "tries_left": 5,
        "kinds": ["birth_date", "mother_maiden_name"],
    }  # fmt: skip
    assert claims["deps"] == [_read(world, phone)[-2][0]["op"]]


def test_a_code_opens_it_too(world: World, phone: Phone, at_the_door: Callable[[], str]) -> None:
    check = phone.check_identity(at_the_door(), world.person, code=CODE)
    assert check.passed and _read(world, phone)[-1][1]["body"]["method"] == "code"


def test_after_five_wrong_answers_only_the_code_remains(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    visit = at_the_door()
    tries = [phone.check_identity(visit, world.person, WRONG) for _ in range(5)]
    assert [check.tries_left for check in tries] == [4, 3, 2, 1, 0]
    assert not any(check.passed or check.brief for check in tries)
    with pytest.raises(NotAllowed, match="only-the-code"):
        phone.check_identity(visit, world.person, RIGHT)
    assert not phone.check_identity(visit, world.person, code="0" * 13).passed
    assert phone.check_identity(visit, world.person, code=CODE).passed


def test_five_tries_outlive_the_process(world: World, phone: Phone, at_the_door: Callable[[], str]) -> None:
    visit = at_the_door()
    for _ in range(5):
        phone.check_identity(visit, world.person, WRONG)
    phone.close()
    with world.open() as again, pytest.raises(NotAllowed, match="only-the-code"):
        again.check_identity(visit, world.person, RIGHT)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"birth_date": "31/12/1956"}, None),
        ({"birth_date": "x", "curp": "y"}, None),
        ({}, None),
        (None, None),
        (RIGHT, CODE),
    ],
)
def test_what_is_no_try_is_not_counted(
    world: World, phone: Phone, at_the_door: Callable[[], str], answers: dict[str, str] | None, code: str | None
) -> None:
    visit = at_the_door()
    with pytest.raises(NotAllowed, match="two-answers-needed"):
        phone.check_identity(visit, world.person, answers, code)
    assert "identity_check" not in phone.status()["recorded"]


@pytest.mark.parametrize("relation", ["spouse", "minor", "neighbour", "nobody", "authority"])
def test_anybody_else_at_the_door_locks_everything_again(
    world: World, phone: Phone, at_the_door: Callable[[], str], relation: str
) -> None:
    visit = at_the_door()
    phone.check_identity(visit, world.person, RIGHT)
    phone.encounter(visit, relation)
    with pytest.raises(NotAllowed, match="locked"):
        phone.brief(visit, world.person)
    with pytest.raises(NotAllowed, match="third-party"):
        phone.check_identity(visit, world.person, RIGHT)


def test_a_withdrawal_locks_what_was_open(world: World, phone: Phone, at_the_door: Callable[[], str]) -> None:
    visit = at_the_door()
    phone.check_identity(visit, world.person, RIGHT)
    phone.pull()
    assert phone.brief(visit, world.person)
    world.publish(0, version=2, state="withdrawn")
    phone.pull()
    with pytest.raises(NotAllowed, match="locked"):
        phone.brief(visit, world.person)


def test_a_check_needs_somebody_at_the_door(world: World, phone: Phone) -> None:
    with pytest.raises(NotAllowed, match="no-encounter"):
        phone.check_identity(world.visits[0], world.person, RIGHT)
    with pytest.raises(NotAllowed, match="no-identity-check"):
        phone.encounter(world.visits[0], "sought")


def test_a_located_client_and_a_letter_need_a_passed_check(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    visit = at_the_door()
    with pytest.raises(NotAllowed, match="no-identity-check"):
        phone.record_outcome(visit, "client_located")
    with pytest.raises(NotAllowed, match="no-identity-check"):
        phone.letter(visit, "handed_over", "sought", serial="S-1")
    phone.check_identity(visit, world.person, RIGHT)
    phone.encounter(visit, "sought")
    phone.opened(visit, world.person, ["brief", "letter"], shown_s=20)
    phone.record_outcome(visit, "client_located", {"results": [{"result": "refusal"}]})
    phone.letter(visit, "handed_over", "sought", serial="S-1")
    body = _read(world, phone)[-2][1]["body"]
    assert body["identified_by"] == "answers" and body["party"] == {"relation": "sought"}


def test_a_letter_never_goes_to_a_third_party(world: World, phone: Phone, at_the_door: Callable[[], str]) -> None:
    visit = at_the_door()
    phone.check_identity(visit, world.person, RIGHT)
    with pytest.raises(NotAllowed):
        phone.letter(visit, "handed_over", "spouse")


def test_a_third_party_outcome_takes_the_relation_of_its_encounter(world: World, phone: Phone) -> None:
    visit = world.visits[1]
    with pytest.raises(NotAllowed, match="no-encounter"):
        phone.record_outcome(visit, "third_party_attended")
    encounter = phone.encounter(visit, "neighbour")
    phone.record_outcome(visit, "third_party_attended", {"place_confirmed": True})
    claims, content = _read(world, phone)[-1]
    assert content["body"]["relation"] == "neighbour" and claims["deps"] == [encounter.op]


def test_a_correction_depends_on_what_it_corrects(world: World, phone: Phone) -> None:
    note = phone.note(world.visits[0], "blue door")
    phone.correction(note.op, "it was green")
    claims, content = _read(world, phone)[-1]
    assert claims["deps"] == [note.op] and claims["visit"] == world.visits[0]
    assert content["body"] == {"corrects": note.op, "words": "it was green"}
    with pytest.raises(NotAllowed, match="unknown-operation"):
        phone.correction(world.visits[0], "what?")


def test_work_begun_before_a_withdrawal_stays_recordable_under_its_assignment(world: World, phone: Phone) -> None:
    phone.arrive(world.visits[0])
    world.office.publish(
        "visit",
        world.visits[0],
        2,
        {"state": "withdrawn", "assignment_version": 2, "stop": None, "open": None, "locks": []},
    )
    phone.pull()
    phone.record_outcome(world.visits[0], "nobody_there")
    assert [claims["av"] for claims, _ in _read(world, phone)] == [1, 1]
    with pytest.raises(NotAllowed, match="unknown-visit"):
        phone.arrive("00000000-0000-4000-8000-000000000000")


def test_a_clock_of_1970_is_evidence_and_no_obstacle(world: World) -> None:
    clock = ShiftedClock.showing(datetime(1970, 1, 1, tzinfo=UTC))
    with world.enrol(clock=clock) as phone:
        world.publish(0)
        phone.pull()
        phone.note(world.visits[0], "dark ages")
        ((claims, _),) = _read(world, phone)
        assert claims["wall"].startswith("1970-01-01T00:00")
        assert claims["anchor"] and claims["anchor_mono_ms"] <= claims["mono_ms"]
        assert phone.push().received == 1


def test_the_monotonic_reading_counts_only_in_the_same_boot(world: World, phone: Phone) -> None:
    class Rebooted(ShiftedClock):
        def boot(self) -> str:
            return "00000000-0000-4000-8000-00000000b001"

    phone.close()
    from datetime import timedelta

    with world.open(clock=Rebooted(timedelta(0))) as again:
        again.note(world.visits[0], "after a reboot")
        ((claims, _),) = _read(world, again)
    assert claims["anchor"] is not None and claims["anchor_mono_ms"] is None


def test_a_new_sealing_key_is_used_and_expired_ones_are_not(world: World, phone: Phone) -> None:
    from datetime import timedelta

    from field_api.platform import sealing

    fresh = sealing.new_private_key()
    start = world.office.now + timedelta(hours=1)
    certificate = world.office.certificate("sealing", sealing.public_key_of(fresh), start=start)
    world.office.publish("keys", "k", 1, {"certificates": [certificate]})
    phone.pull()
    world.office.private["sealing"] = fresh
    phone.note(world.visits[0], "under the new key")
    ((claims, _),) = _read(world, phone)
    assert claims["key"] == sealing.key_id_of(sealing.public_key_of(fresh))


def test_an_operation_removes_the_draft_of_its_visit(world: World, phone: Phone) -> None:
    phone.save_draft(world.visits[0], {"words": "half"})
    phone.note(world.visits[0], "whole")
    assert phone.draft(world.visits[0]) is None
