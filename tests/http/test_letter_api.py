"""How letters look, what they lack and who gets one by mail, over HTTP."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from uuid import UUID

from sqlalchemy import select

from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.records.results import Promise
from field_api.records.visits import Visit
from tests.paper_world import paper_world, stating
from tests.planning_world import NOW

API = "/api/v1"
LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><path d="M0 0h20v10z" fill="#003366"/></svg>'


def _upload(body: bytes) -> dict:
    return {"data": {"file": (BytesIO(body), "logo.svg")}, "content_type": "multipart/form-data"}


def test_a_brand_is_set_by_who_looked_at_it_with_a_picture_that_was_sent_before(agency: UUID, as_role) -> None:
    manager = as_role("manager")
    creditor = manager.post(f"{API}/creditors", json={"name": "Casa Inventada", "jurisdiction": "MX", "currency": "MXN", "language": "es"}).json["id"]  # fmt: skip
    path = f"{API}/creditors/{creditor}/brand"
    plain = manager.get(path)
    assert (plain.json["in_name_of"], plain.headers["ETag"]) == ("agency", f'"{plain.json["version"]}"')
    wanted = {"in_name_of": "creditor", "colour": "#003366", "sender_lines": ["Casa Inventada"]}
    assert manager.put(path, json=wanted).status_code == 428
    for bad in (b"<svg/>", b"GIF89a", b"\x89PNG\r\n\x1a\n", LOGO.replace(b"<path", b"<script/><path")):
        refused = manager.post(f"{path}/images", **_upload(bad))
        assert (refused.status_code, refused.json["code"]) == (422, "invalid-file")
    kept = manager.post(f"{path}/images", **_upload(LOGO))
    assert (kept.status_code, kept.json["form"]) == (201, "svg")
    changed = manager.put(
        path, json=wanted | {"logo": kept.json["sha256"]}, headers={"If-Match": plain.headers["ETag"]}
    )
    assert changed.status_code == 200 and changed.json["logo"] == kept.json["sha256"]
    assert manager.put(path, json={}, headers={"If-Match": plain.headers["ETag"]}).status_code == 412
    for field, bad in (("colour", "#ffff99"), ("logo", "0" * 64), ("paragraphs", {"reminder": {"es": ["Juzgado"]}})):
        wrong = manager.put(path, json={field: bad}, headers={"If-Match": "*"})
        assert (wrong.status_code, wrong.json["code"]) == (422, "invalid-fields"), wrong.json
    dispatcher = as_role("dispatcher")
    assert dispatcher.get(path).json == changed.json
    assert dispatcher.put(path, json={}, headers={"If-Match": "*"}).status_code == 403
    assert as_role("controller", creditor_id=UUID(creditor)).get(path).status_code == 200


def test_a_brand_that_is_not_understood_any_more_says_so_and_is_set_anew(agency: UUID, as_role) -> None:
    with transaction(agency) as session:
        creditor = stating(paper_world(session))
        creditor.brand = {"seal": "of an earlier release"}
    brand, client = f"{API}/creditors/{creditor.id}/brand", as_role("manager")
    found = client.get(brand)
    assert (found.status_code, found.json["code"]) == (409, "conflict")
    assert client.put(brand, json={}, headers={"If-Match": "*"}).status_code == 200
    assert client.get(brand).json["in_name_of"] == "agency"


def test_what_letters_lack_is_told_until_it_is_said(agency: UUID, as_role) -> None:
    manager = as_role("manager")
    made = manager.post(f"{API}/creditors", json={"name": "Haus Erfunden", "jurisdiction": "DE", "currency": "EUR", "language": "de"})  # fmt: skip
    path = f"{API}/creditors/{made.json['id']}/letter-readiness"
    [germany] = manager.get(path).json
    lacking = {lack["field"]: lack["of"] for lack in germany["lacks"]}
    assert lacking["creditor_address"] == "creditor" and lacking["supervisory_authority"] == "agency"
    said = {
        "supervisory_authority": "Aufsicht Erfunden",
        "vat_statement": "Kein Vorsteuerabzug",
        "interest_calculation": "5 %",
    }
    told = manager.patch(f"{API}/agency/letter-particulars", json=said)
    assert told.status_code == 200 and said.items() <= told.json.items()
    assert said.items() <= as_role("dispatcher").get(f"{API}/agency/letter-particulars").json.items()
    manager.patch(
        f"{API}/creditors/{made.json['id']}", json={"address": "Weg 1, 10115 Berlin", "payment_ways": ["IBAN"]}
    )
    left = {lack["field"] for lack in manager.get(path).json[0]["lacks"]}
    assert not left & {*said, "creditor_address", "payment_ways"}
    for body, at in (
        ({"complaints_unit": {"fax": "1"}}, "complaints_unit"),
        ({"payment_ways": ["a\nb"]}, "payment_ways.0"),
        ({"address": "a\nb"}, "address"),
    ):
        refused = manager.patch(f"{API}/creditors/{made.json['id']}", json=body)
        assert (refused.status_code, refused.json["at"]) == (422, at)


def test_a_dispatcher_asks_for_a_promise_in_writing_reads_it_and_posts_it(agency: UUID, as_role) -> None:
    with transaction(agency) as session:
        world = paper_world(session)
        creditor = stating(world)
        person = world.person(creditor)
        account = world.account(person, 123_456)
        visit = world.visit(world.route(world.agent()), 1, world.address(person), person, account).id
        session.add(
            Promise(
                account_id=account.id, person_id=person.id, visit_id=visit, op_id=new_id(), kind="partial",
                amount_minor=50_000, currency="MXN", due_on=date(2026, 12, 4), made_at=NOW,
            )
        )  # fmt: skip
    client = as_role("dispatcher")
    ask = {"kind": "promise_confirmation", "account_id": str(account.id)}
    [letter] = client.post(f"{API}/visits/{visit}/letters", json=ask).json
    assert (letter["state"], letter["refusal"], letter["pages"] % 2) == ("issued", None, 0)
    assert [again["id"] for again in client.post(f"{API}/visits/{visit}/letters", json=ask).json] == [letter["id"]]
    assert client.get(f"{API}/letters/{letter['id']}/document").data.startswith(b"%PDF")
    custody = f"{API}/letters/{letter['id']}/custody"
    assert client.post(custody, json={"state": "posted"}).status_code == 204
    assert client.post(custody, json={"state": "posted"}).status_code == 409
    attempts = as_role("manager").get(f"{API}/attempts").json["items"]
    assert [(attempt["channel"], attempt["outcome"]) for attempt in attempts] == [("letter", "sent")]
    for body, code in (({"kind": "payment_plan"}, "conflict"), ({"kind": "final_warning"}, "invalid-fields")):
        assert client.post(f"{API}/visits/{visit}/letters", json=body).json["code"] == code
    with transaction(agency) as session:
        assert session.scalars(select(Visit.state)).one() == "published"
