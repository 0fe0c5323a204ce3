"""Letter templates over HTTP: taken in after a trial, looked at, put into use; a bad one is refused with its line."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from uuid import UUID

from pypdf import PdfReader

from field_api.adapters import typst_worker
from field_api.platform.database import transaction
from tests.paper_world import paper_world, stating

API = "/api/v1"
EXAMPLE = Path(typst_worker.TEMPLATES, "examples", "two-columns.typ").read_text(encoding="utf-8")


def test_a_template_is_tried_kept_looked_at_and_put_into_use(agency: UUID, as_role) -> None:
    with transaction(agency) as session:
        world = paper_world(session)
        creditor = stating(world)
        person = world.person(creditor)
        world.address(person)
        world.account(person, 123_456)
        creditor_id = creditor.id
    manager = as_role("manager")
    where = f"{API}/creditors/{creditor_id}/letter-templates"

    bad = manager.post(where, json={"source": EXAMPLE.replace("part.title", "part.titel"), "kinds": ["notification"]})
    assert bad.status_code == 422 and bad.json["code"] == "invalid-fields"
    assert bad.json["at"] == "source.35.54"
    told_as = 'source:35:54: template-error: dictionary does not contain key "titel" [MX notification es]'
    assert bad.json["errors"] == [{"at": "source.35.54", "problem": told_as}]

    made = manager.post(where, json={"source": EXAMPLE, "kinds": ["notification"]})
    assert made.status_code == 201, made.json
    assert (made.json["version"], made.json["state"], made.json["kinds"]) == (1, "draft", ["notification"])
    one = f"{API}/letter-templates/{made.json['id']}"
    seen = manager.post(f"{one}/preview", json={"jurisdiction": "MX"})
    assert seen.mimetype == "application/pdf" and seen.headers["Content-Disposition"].endswith('"preview.pdf"')
    assert "Renata Inventada" in "".join(page.extract_text() for page in PdfReader(BytesIO(seen.data)).pages)
    assert manager.post(f"{one}/preview", json={"jurisdiction": "XX"}).json["at"] == "jurisdiction"

    assert manager.put(f"{one}/state", json={"state": "active"}).json["state"] == "active"
    assert manager.put(f"{one}/state", json={"state": "retired"}).json["state"] == "retired"
    [listed] = as_role("dispatcher").get(where).json["items"]
    assert listed["sha256"] == made.json["sha256"] and "source" not in listed
