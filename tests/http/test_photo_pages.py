"""The console's pages about photographs: what a manager sees, and does with a keyboard and without a script."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from field_api.domain.vocabulary import PhotoSubject, Relation
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from media.office.hints import Hint
from media.office.page_words import DESTROY, HINTS, RELATIONS, SHOWN, STATES, SUBJECTS
from media.office.photo_links import Use
from media.office.records import Photo, PhotoState
from media.office.schemas import DESTROY_REASONS
from tests.office_client import OfficeClient
from tests.photo_world import PhotoWorld
from tests.pictures import encoded, jpeg, jpeg_with_everything, patterned
from tests.planning_world import statements

pytest_plugins = ["tests.photo_fixtures"]

LIST, ONE = "/console/photos", "/console/photo"
NOTICE = {"notice": {"version": "1", "language": "es"}}


@pytest.fixture(autouse=True)
def at_the_office(office: Flask, clock: SetClock) -> None:
    office.extensions["doorstep.clock"] = clock


def a_refused_one(world: PhotoWorld) -> Photo:
    photo = world.seal(jpeg())
    world.declare(photo, None)
    world.upload(photo)
    world.work()
    world.work()
    return world.photos()[-1]


def page(client: OfficeClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def sent(client: OfficeClient, html: str, action: str, **fields: str) -> TestResponse:
    """As a browser sends the form: to its action, with its hidden token, without any header of a program."""
    form = re.search(rf'<form action="([^"]*{action}[^"]*)" method="post">(.*?)</form>', html, re.DOTALL)
    assert form, action
    token = re.search(r'name="csrf_token" value="([^"]+)"', form[2])
    assert token
    program, client.csrf_token = client.csrf_token, None
    try:
        return client.post(form[1], data={"csrf_token": token[1], **fields})
    finally:
        client.csrf_token = program


def pictures(html: str) -> list[tuple[str, str]]:
    return re.findall(r'<img[^>]* src="([^"]+)" alt="([^"]+)"', html)


def test_a_visits_photographs_are_shown_with_what_to_look_at(
    world: PhotoWorld, office_client: OfficeClient, office: Flask
) -> None:
    photo = world.developed(jpeg_with_everything(), "meter")
    late = world.seal(jpeg())
    world.declare(late, world.permit(), subject="street")
    html = page(office_client, f"{LIST}?visit={world.visit.visit_id}")
    ((source, words),) = pictures(html)
    assert words == "Photograph 1", "what a screen reader reads out in a room says nothing"
    assert office_client.get(source).mimetype == "image/jpeg"
    for text in (
        "1. meter",
        "from the address",
        HINTS[Hint.FILE_OTHER_TIME].name,
        "2026-11-18 16:00 (UTC)",
    ):
        assert text in html
    assert re.search(r"not here yet</h2>\s*<ul><li>street</li></ul>", html)
    assert f'href="{ONE}?photo={photo.id}"' in html
    assert "<script" not in html and "style=" not in html and "onclick" not in html
    assert page(office_client, f"{LIST}?visit={world.visit.visit_id}&state=refused").count("<article") == 0
    assert office_client.get(f"{LIST}?visit={uuid4()}").status_code == 404


def test_one_photograph_says_who_allowed_it_in_which_words_and_what_hints_do_not_mean(
    world: PhotoWorld, office_client: OfficeClient
) -> None:
    permission = world.permit("facade", by="relative", name="Tía <Inventada>", words="sí, claro", **NOTICE)
    photo = world.seal(jpeg_with_everything())
    world.declare(photo, permission)
    world.upload(photo)
    world.work()
    html = page(office_client, f"{ONE}?photo={world.only().id}")
    for text in (
        "A relative, Tía <Inventada>, on 2026-11-18", "for: façade.", "sí, claro", "version 1, es",
        "Quisiera tomar una foto de la fachada", "“Testmaker”", "It does not mean</em> a forgery", "400 × 300 pixels",
    ):  # fmt: skip
        assert text in html, text
    assert "Tía <Inventada>" not in office_client.get(f"{ONE}?photo={world.only().id}").text, "escaped on the wire"
    ((source, _words),) = pictures(html)
    assert "Nobody before you" in html
    assert office_client.get(source).status_code == 200
    again = page(office_client, f"{ONE}?photo={world.only().id}")
    assert re.search(r"<td>[^<]+</td><td>Manager</td><td>the large picture</td>", again)


def test_what_waits_for_a_decision_is_listed_with_the_time_left_and_decided(
    world: PhotoWorld, office_client: OfficeClient, clock: SetClock
) -> None:
    photo = a_refused_one(world)
    clock.advance(timedelta(hours=1, minutes=1))
    html = page(office_client, f"{LIST}?state=refused")
    assert "70 hours left" in html and "nobody allowed it" in html and pictures(html) == []
    html = page(office_client, f"{ONE}?photo={photo.id}")
    assert "No permission of this visit is named with it." in html and "Fetch the file" not in html
    for nothing in ("", " ", "\r\n"):
        assert sent(office_client, html, "/allow", reason=nothing).status_code == 422
    done = sent(office_client, html, "/allow", reason="the owner wrote to us\r\n" * 20 + "x" * 60)  # 500 as typed
    assert (done.status_code, done.headers["Location"]) == (303, f"{ONE}?photo={photo.id}")
    html = page(office_client, done.headers["Location"])
    assert "waits to be developed" in html and "Allowed after all by Manager" in html and "/allow" not in html
    world.work()
    assert len(pictures(page(office_client, f"{ONE}?photo={photo.id}"))) == 1


def test_a_form_of_another_site_does_nothing(world: PhotoWorld, office_client: OfficeClient) -> None:
    photo = world.developed(jpeg())
    office_client.csrf_token = None
    for what, reason in (("destroy", "not-needed"), ("original", "r"), ("allow", "r")):
        answer = office_client.post(f"{ONE}/{what}?photo={photo.id}", data={"reason": reason})
        assert (answer.status_code, answer.json["code"]) == (403, "not-permitted"), what
    assert world.only().state == "developed"


def test_a_photograph_is_destroyed_from_its_page(world: PhotoWorld, office_client: OfficeClient) -> None:
    photo = world.developed(jpeg())
    html = page(office_client, f"{ONE}?photo={photo.id}")
    assert sent(office_client, html, "/destroy", reason="").status_code == 422
    assert world.only().state == "developed"
    done = sent(office_client, html, "/destroy", reason="erasure-order")
    html = page(office_client, done.headers["Location"])
    assert "destroyed: its erasure was ordered" in html and pictures(html) == [] and "<form" not in html


def test_the_original_is_asked_for_and_saved(world: PhotoWorld, office_client: OfficeClient) -> None:
    file = jpeg_with_everything()
    html = page(office_client, f"{ONE}?photo={world.developed(file).id}")
    html = unescape(sent(office_client, html, "/original", reason="for the court").text)
    link = re.search(r'<a class="button" href="([^"]+)"', html)
    assert link and "5 minutes" in html and "Careful" not in html
    assert office_client.get(link[1]).data == file
    odd = world.developed(b"<html>")
    html = page(office_client, f"{ONE}?photo={odd.id}")
    assert "could not be read: the file is no picture of a known kind" in html
    assert "Careful: the file is no picture" in sent(office_client, html, "/original", reason="for the court").text


def test_look_alikes_stand_side_by_side(world: PhotoWorld, office_client: OfficeClient) -> None:
    first = world.developed(encoded(patterned(), quality=95))
    world.goes_on()
    second = world.developed(encoded(patterned(), quality=95))
    html = page(office_client, f"{ONE}?photo={second.id}")
    sources = pictures(html)
    assert [words for _, words in sources] == [
        "The photograph, large", "This photograph, small", "Picture of another visit, 1",
    ]  # fmt: skip
    assert f"{ONE}?photo={first.id}" in html and "Looks the same; by" in html
    assert {office_client.get(source).status_code for source, _ in sources} == {200}


def test_a_look_alike_whose_small_picture_is_lost_shows_its_state(
    world: PhotoWorld, office_client: OfficeClient
) -> None:
    first = world.developed(encoded(patterned(), quality=95))
    world.goes_on()
    second = world.developed(encoded(patterned(), quality=95))
    with transaction(world.agency) as session:
        lost = session.get_one(Photo, (world.agency, first.id))
        lost.small_key, lost.state, lost.reason = None, PhotoState.AWAITING.value, "rendition-missing"
    html = page(office_client, f"{ONE}?photo={second.id}")
    assert 'src="None"' not in html and f">{STATES[PhotoState.AWAITING]}</a>" in html


def test_a_page_that_cannot_know_all_openings_does_not_say_that_nobody_looked(
    world: PhotoWorld, office_client: OfficeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = world.developed(jpeg(400, 300)), world.developed(jpeg(300, 400))
    for photo in (first, second):
        ((source, _words),) = pictures(page(office_client, f"{ONE}?photo={photo.id}"))
        office_client.get(source)
    for module in ("looks_at", "photo_sheet"):
        monkeypatch.setattr(f"media.office.{module}.MOST", 1)
    html = page(office_client, f"{ONE}?photo={first.id}")
    assert "Nobody before you" not in html and "none of this one. Older ones stand in the visit's story" in html


def test_pages_are_left_by_their_cursor_newest_first(
    world: PhotoWorld, office_client: OfficeClient, monkeypatch: pytest.MonkeyPatch, office: Flask
) -> None:
    monkeypatch.setattr("media.office.pages.ON_A_PAGE", 2)
    permission, counts = world.permit(), []
    for number in (1, 3):
        for _ in range(number):
            photo = world.seal(jpeg(60, 40))
            world.declare(photo, permission)
            world.upload(photo)
        world.work()
        with office.app_context(), statements() as seen:
            html = page(office_client, LIST)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 7
    shown = re.findall(rf'<h2[^>]*><a href="{ONE}\?photo=([^"]+)"', html)
    more = re.search(r'rel="next" href="([^"]+)"', html)
    assert more
    rest = re.findall(rf'<h2[^>]*><a href="{ONE}\?photo=([^"]+)"', page(office_client, more[1]))
    assert [UUID(one) for one in shown + rest] == sorted((row.id for row in world.photos()), reverse=True)


def test_the_pages_are_for_managers_and_ask_strangers_to_sign_in(
    world: PhotoWorld, office_client: OfficeClient, as_role: Callable[..., Any], anonymous: OfficeClient,
    other_agency: UUID,
) -> None:  # fmt: skip
    address = f"{ONE}?photo={world.developed(jpeg()).id}"
    others = {role: as_role(role) for role in ("agent", "dispatcher", "admin", "controller", "integrator")}
    for role, client in others.items():
        assert {client.get(where).status_code for where in (address, LIST)} == {403}, role
    away = anonymous.get(address)
    assert (away.status_code, away.headers["Location"].startswith("/sign-in?next=")) == (302, True)
    stranger = as_role("manager", agency_id=other_agency)
    assert stranger.get(address).status_code == 404 and "There is none." in stranger.get(LIST).text
    assert '<a href="/console/photos">Photographs</a>' in office_client.get("/console/").text
    assert "/console/photos" not in others["dispatcher"].get("/console/").text


@pytest.mark.parametrize("bad", ["visit=x", "state=x", "hint=x", "after=x"])
def test_an_address_that_asks_for_what_there_is_not_is_refused(office_client: OfficeClient, bad: str) -> None:
    answer = office_client.get(f"{LIST}?{bad}")
    assert (answer.status_code, answer.json["at"]) == (400, "after" if "after" in bad else "query")


def test_there_are_words_for_every_code() -> None:
    assert set(HINTS) == set(Hint) and set(STATES) == set(PhotoState) and set(SHOWN) == set(Use)
    assert set(DESTROY) == set(DESTROY_REASONS)
    assert set(SUBJECTS) == {subject.value for subject in PhotoSubject}
    assert set(RELATIONS) == {relation.value for relation in Relation}
