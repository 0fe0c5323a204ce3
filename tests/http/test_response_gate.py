"""The response gate: views that leak on purpose, called for real; each is answered with an incident and nothing else."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import marshmallow as ma
import pikepdf
import pytest
from flask import Flask, Response, g, jsonify, redirect, session
from flask_smorest import Blueprint
from PIL import Image
from pypdf import PdfWriter

from doorstep.app import worker_app
from field_api.domain.disclosure import Audience, Label
from field_api.http import register
from field_api.http.bodies import CSS, HTML, JPEG, JSON, PDF, sends
from field_api.http.permits import answers, open_to_all, permitted
from field_api.http.response_headers import CONTENT_SECURITY_POLICY
from field_api.http.schemas.audiences import OFFICE, OUTSIDE, SIGNED_IN
from field_api.http.schemas.labelled import Schema, SchemaRefused, confidential, internal, open_, place
from field_api.http.shapes import OutOfShape, Unreadable, shape_of
from field_api.platform.database import db
from field_api.platform.problems import Problem, problem_response
from field_api.platform.settings import Settings
from field_api.platform.wiring import papers
from field_api.usecases.print_legend import print_legend
from tests.office_client import OfficeClient, add_person

SECRET = "1234567"
AT = datetime(2026, 11, 18, tzinfo=UTC)


class ThingSchema(Schema):
    audiences = OFFICE
    id = internal(ma.fields.UUID())
    state = internal(ma.fields.String())
    count = internal(ma.fields.Integer())
    at = internal(ma.fields.AwareDateTime())
    street = place(ma.fields.String())


class ThingsSchema(Schema):
    audiences = OFFICE
    items = internal(ma.fields.List(ma.fields.Nested(ThingSchema)))
    by_name = internal(ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer()))
    recorded = confidential(ma.fields.Dict())


def _legend() -> bytes:
    return print_legend("es", renderer=papers()).pdf


def _with_information(name: str, value: str) -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(_legend()))
    writer.add_metadata({name: value})
    return _written(writer)


def _with_bookmark(title: str) -> bytes:
    with pikepdf.open(io.BytesIO(_legend())) as pdf:
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem(title, 0))
        pdf.save(made := io.BytesIO(), object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return made.getvalue()


def _with_xmp(old: bytes, new: bytes) -> bytes:
    pdf = _legend()
    assert pdf.count(old) == 1
    return pdf.replace(old, new.ljust(len(old)))


def _with_attachment() -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(_legend()))
    writer.add_attachment("a.txt", SECRET.encode())
    return _written(writer)


def _written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _jpeg(comment: bytes | None = None) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", **({"comment": comment} if comment else {}))
    return out.getvalue()


def _json(body: Any, **headers: str) -> Response:
    return Response(json.dumps(body), mimetype=JSON, headers=headers)


def _pdf(body: bytes, disposition: str = 'attachment; filename="card.pdf"') -> Response:
    return Response(body, mimetype=PDF, headers={"Content-Disposition": disposition})


def _cookie(name: str) -> Response:
    response = _json({})
    response.set_cookie(name, SECRET)
    return response


def _kept_in_the_session() -> Response:
    session["balance"] = SECRET
    return _json({})


def _streamed() -> Response:
    return Response((part for part in (SECRET, SECRET)), mimetype="text/csv")


def _problem(**said: Any) -> Response:
    response = problem_response(Problem("conflict", "a text of ours"))
    return Response(json.dumps(json.loads(response.get_data()) | said), status=409, mimetype="application/problem+json")


LEAKS: dict[str, tuple[str, Callable[[], Any]]] = {
    "a key that the schema does not list": ("OutOfShape:ThingsSchema", lambda: _json({"balance": SECRET})),
    "a key in a list's item": (
        "OutOfShape:ThingSchema",
        lambda: _json({"items": [{"state": "a"}, {"state": "b", "balance": SECRET}]}),
    ),
    "an object where a text is declared": (
        "OutOfShape:ThingSchema.state",
        lambda: _json({"items": [{"state": {"balance": SECRET}}]}),
    ),
    "a list where an object is declared": ("OutOfShape:ThingsSchema", lambda: _json([{"balance": SECRET}])),
    "a text where a number is declared": (
        "OutOfShape:ThingSchema.count",
        lambda: _json({"items": [{"count": SECRET}]}),
    ),
    "a text where an id is declared": ("OutOfShape:ThingSchema.id", lambda: _json({"items": [{"id": SECRET}]})),
    "a text where a moment is declared": ("OutOfShape:ThingSchema.at", lambda: _json({"items": [{"at": SECRET}]})),
    "an object inside a mapping of numbers": (
        "OutOfShape:ThingsSchema.by_name",
        lambda: _json({"by_name": {"a": {"balance": SECRET}}}),
    ),
    "a key that stands there twice": ("json", lambda: Response('{"by_name": "1234567", "by_name": {}}', mimetype=JSON)),
    "what is no JSON": ("json", lambda: Response(f"balance {SECRET}", mimetype=JSON)),
    "another media type": ("content-type", lambda: Response(SECRET, mimetype="text/plain")),
    "a page where JSON was declared": ("content-type", lambda: Response(SECRET, mimetype=HTML)),
    "a stream": ("streamed", _streamed),
    "a header that is not listed": ("HeaderRefused:unlisted", lambda: _json({}, **{"X-Balance": SECRET})),
    "a listed header that says something else": (
        "HeaderRefused:retry-after",
        lambda: _json({}, **{"Retry-After": f"{SECRET} MXN"}),
    ),
    "a last change": (
        "HeaderRefused:unlisted",
        lambda: _json({}, **{"Last-Modified": "Wed, 18 Nov 2026 09:00:00 GMT"}),
    ),
    "an ETag of something else": ("HeaderRefused:etag", lambda: _json({}, ETag=f'"{SECRET}"')),
    "a weak ETag": ("HeaderRefused:etag", lambda: _json({}, ETag=f'W/"{SECRET}"')),
    "a cookie": ("HeaderRefused:set-cookie", lambda: _cookie("balance")),
    "a value in the session's cookie": ("HeaderRefused:set-cookie", _kept_in_the_session),
    "a file name": (
        "content-disposition",
        lambda: _json({}, **{"Content-Disposition": f'attachment; filename="{SECRET}.json"'}),
    ),
    "an answer that others may keep": ("cache-control", lambda: _json({}, **{"Cache-Control": "public, max-age=3600"})),
    "a redirect to elsewhere": ("HeaderRefused:location", lambda: redirect("https://elsewhere.example/")),
    "a redirect to elsewhere without a scheme": ("HeaderRefused:location", lambda: redirect("//elsewhere.example/")),
    "a redirect to a path that is not ours": ("HeaderRefused:location", lambda: redirect(f"/{SECRET}")),
    "a redirect with something in its query": ("HeaderRefused:location", lambda: redirect(f"/console/?day={SECRET}")),
    "a redirect with something in its path": (
        "HeaderRefused:location",
        lambda: redirect("/api/v1/plans/01a20000-0000-7000-8000-000001234567"),
    ),
    "a key in a problem": ("OutOfShape:ProblemSchema", lambda: _problem(balance=SECRET)),
    "a key in a problem's list": (
        "OutOfShape:PlacedErrorSchema",
        lambda: _problem(errors=[{"at": "json.a", "problem": "no", "value": SECRET}]),
    ),
    "a problem's own title": ("problem", lambda: _problem(title=SECRET)),
    "a problem of another status": ("problem", lambda: _problem(status=404)),
    "a sentence as a problem's place": ("problem", lambda: _problem(at=f"the balance is {SECRET}")),
    "a sentence as a column's place": (
        "problem",
        lambda: _problem(at=f"the balance is {SECRET}", reason="not-on-the-list"),
    ),
    "a sentence as a problem's reason": ("problem", lambda: _problem(reason=f"owes {SECRET}")),
    "a refusal that is no problem": ("problem-type", lambda: (jsonify(balance=SECRET), 409)),
    "an error page": ("problem-type", lambda: Response(SECRET, status=404, mimetype=HTML)),
}
"""What leaks -> the rule that stops it, and the view: of an operation that declares ThingsSchema for the office."""

PAPER_LEAKS: dict[str, tuple[str, Callable[[], Any]]] = {
    "another file name": ("content-disposition", lambda: _pdf(_legend(), f'attachment; filename="{SECRET}.pdf"')),
    "no file name": ("content-disposition", lambda: Response(_legend(), mimetype=PDF)),
    "a title": ("NotNeutral:pdf-information", lambda: _pdf(_with_information("/Title", f"Owes {SECRET}"))),
    "a producer": ("NotNeutral:pdf-information", lambda: _pdf(_with_information("/Producer", SECRET))),
    "a bookmark": ("NotNeutral:pdf-bookmark", lambda: _pdf(_with_bookmark(f"Owes {SECRET}"))),
    "a title in XMP": (
        "NotNeutral:xmp-value",
        lambda: _pdf(_with_xmp("Números de resultado".encode(), SECRET.encode())),
    ),
    "an element in XMP": (
        "NotNeutral:xmp-name",
        lambda: _pdf(
            _with_xmp(b"<xmpMM:RenditionClass>proof</xmpMM:RenditionClass>", b"<pdf:Keywords>1234567</pdf:Keywords>")
        ),
    ),
    "an attachment": ("NotNeutral:pdf-catalogue", lambda: _pdf(_with_attachment())),
    "what is no PDF": ("NotNeutral:pdf", lambda: _pdf(SECRET.encode())),
    "JSON where a PDF was declared": ("content-type", lambda: _json({"balance": SECRET})),
}

leaky = Blueprint("leaky", __name__, url_prefix="/leaky")


@leaky.get("/json/<int:number>")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.read")
@leaky.response(200, ThingsSchema)
def leak_json(number: int) -> Any:
    """Whatever the number says."""
    return list(LEAKS.values())[number][1]()


@leaky.get("/pdf/<int:number>")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.read")
@sends(PDF, Label.INTERNAL, name="card.pdf")
@leaky.response(200, content_type=PDF)
def leak_pdf(number: int) -> Any:
    """Whatever the number says."""
    return list(PAPER_LEAKS.values())[number][1]()


@leaky.get("/picture/<any(plain, told):kind>")
@answers(Audience.MANAGER)
@permitted("photos.read")
@sends(JPEG, Label.PERSONAL)
@leaky.response(200, content_type=JPEG)
def leak_picture(kind: str) -> Any:
    """A picture, with or without a comment in it."""
    return Response(_jpeg(SECRET.encode() if kind == "told" else None), mimetype=JPEG)


@leaky.get("/original/<any(attachment, inline):how>")
@answers(Audience.MANAGER)
@permitted("photos.read")
@sends(JPEG, Label.PERSONAL, name="original.jpg", as_it_came=True)
@leaky.response(200, content_type=JPEG)
def leak_original(how: str) -> Any:
    """Somebody's file with all that is in it: saved, never shown in place."""
    headers = {"Content-Disposition": f'{how}; filename="original.jpg"'}
    return Response(_jpeg(SECRET.encode()), mimetype=JPEG, headers=headers)


@leaky.get("/good")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.read")
@leaky.response(200, ThingsSchema)
def good() -> Any:
    """All that the schema lists."""
    thing = {"id": "01a20000-0000-7000-8000-000001234567", "state": "a", "count": 1, "at": AT, "street": None}
    return {"items": [thing], "by_name": {"a": 1}, "recorded": {"any": ["thing", 1]}}


@leaky.delete("/nothing")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.write")
@leaky.response(204)
def nothing() -> Any:
    """A body where none was declared."""
    return _json({"balance": SECRET})


@leaky.get("/wider")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.ADMIN)
@permitted("console.read")
@sends(HTML, Label.INTERNAL)
@sends(CSS, Label.INTERNAL)
@leaky.response(204)
def another_audience() -> Any:
    """A request that changes for whom it works."""
    g.audience = Audience.THIRD_PARTY
    return Response(SECRET, mimetype="application/json")


@leaky.get("/for/<any(nobody, stranger):who>/<any(json, html):how>")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("plans.read")
@sends(HTML, Label.INTERNAL)
@leaky.response(200, ThingsSchema)
def for_whom(who: str, how: str) -> Any:
    """Fits what was declared in all but for whom the request works."""
    if who == "nobody":
        g.pop("audience")
    else:
        g.audience = Audience.THIRD_PARTY
    return _json({"items": []}) if how == "json" else Response("<p>page</p>", mimetype=HTML)


@pytest.fixture
def office_with_leaks(app: Flask, settings: Settings) -> Iterator[Flask]:
    application = worker_app(settings)
    register(application, more=[leaky])
    application.test_client_class = OfficeClient

    @application.get("/late")
    @open_to_all
    @answers(Audience.MACHINE)
    @sends(JSON, Label.INTERNAL)
    def late() -> Response:
        """Came after the frame was put around everything: declared, and never checked."""
        return _json({"balance": SECRET})

    @application.get("/undeclared")
    def undeclared() -> Response:
        return _json({"balance": SECRET})

    @application.get("/raw")
    def raw() -> Any:
        raise RuntimeError(SECRET)

    yield application
    with application.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def manager(office_with_leaks: Flask, agency: Any) -> OfficeClient:
    client = office_with_leaks.test_client()
    assert isinstance(client, OfficeClient)
    assert client.sign_in(add_person(agency, "manager")).status_code == 200
    return client


def _withheld(answer: Any) -> bool:
    """An incident, in the frame's own headers, and not a byte of what the view said."""
    assert set(answer.json) == {"type", "title", "status", "code", "incident"}, answer.text
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert SECRET not in answer.text and SECRET not in str(answer.headers)
    assert answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers
    return True


@pytest.mark.parametrize(("path", "leaks"), [("json", LEAKS), ("pdf", PAPER_LEAKS)], ids=["JSON", "papers"])
def test_each_leak_is_withheld_by_its_rule(
    manager: OfficeClient, capsys: pytest.CaptureFixture[str], path: str, leaks: dict[str, Any]
) -> None:
    stopped = {}
    for number, what in enumerate(leaks):
        capsys.readouterr()
        assert _withheld(manager.get(f"/api/v1/leaky/{path}/{number}")), what
        said = "".join(capsys.readouterr())
        assert SECRET not in said
        stopped[what] = re.findall(r"egress-refused.*place\W{1,3}([\w:.-]+)", said)
    assert stopped == {what: [rule] for what, (rule, _view) in leaks.items()}


def test_a_picture_that_says_something_is_withheld(manager: OfficeClient) -> None:
    assert manager.get("/api/v1/leaky/picture/plain").status_code == 200
    assert _withheld(manager.get("/api/v1/leaky/picture/told"))


def test_a_file_as_it_came_is_saved_and_never_shown_in_place(manager: OfficeClient) -> None:
    assert manager.get("/api/v1/leaky/original/attachment").status_code == 200
    assert _withheld(manager.get("/api/v1/leaky/original/inline"))


def test_a_picture_leaves_with_the_stricter_headers_alone(office_with_leaks: Flask, manager: OfficeClient) -> None:
    """Also where a later change puts the page's own in their place."""
    office_with_leaks.after_request_funcs[None].insert(0, _with_a_pages_policy)  # the first one is called last
    assert _withheld(manager.get("/api/v1/leaky/picture/plain"))
    assert manager.get("/api/v1/leaky/good").status_code == 200


def _with_a_pages_policy(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def test_what_fits_its_declaration_passes(manager: OfficeClient) -> None:
    answer = manager.get("/api/v1/leaky/good")
    assert answer.json["items"][0]["count"] == 1
    again = manager.get("/api/v1/leaky/good", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert manager.head("/api/v1/leaky/good").status_code == 200
    assert manager.options("/api/v1/leaky/good").status_code == 200
    moved = manager.get("/console?day=2026-11-18")
    assert (moved.status_code, moved.location, moved.data) == (308, "/console/?day=2026-11-18", b"")


def test_a_files_own_header_is_named_to_whoever_sent_it(manager: OfficeClient) -> None:
    """Where it is the reader of the file who asks; `column_map.columns.Número de cuenta` is no name of ours."""
    body = {"name": "Tienda", "jurisdiction": "MX", "currency": "MXN", "language": "es"}
    refused = manager.post("/api/v1/creditors", json=body | {"column_map": {"Número de cuenta": 1}})
    assert (refused.status_code, refused.json["at"]) == (422, "column_map.Número de cuenta")


def test_a_body_where_none_was_declared_is_emptied_or_withheld(manager: OfficeClient) -> None:
    assert _withheld(manager.delete("/api/v1/leaky/nothing"))


def test_a_route_that_came_past_the_frame_answers_nothing(manager: OfficeClient) -> None:
    assert _withheld(manager.get("/late"))
    assert _withheld(manager.get("/undeclared"))
    assert _withheld(manager.get("/raw"))


def test_a_request_for_an_audience_that_was_not_declared_is_withheld(manager: OfficeClient) -> None:
    assert _withheld(manager.get("/api/v1/leaky/wider"))


@pytest.mark.parametrize("way", ["nobody/json", "nobody/html", "stranger/json"])
def test_what_works_for_nobody_or_for_a_stranger_is_withheld_for_that(
    manager: OfficeClient, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    """It would fit in everything else."""
    answer = manager.get(f"/api/v1/leaky/for/{way}")
    said = capsys.readouterr()
    assert _withheld(answer) and "no-audience" in said.out + said.err


def test_a_failure_while_headers_are_added_sends_nothing(
    office_with_leaks: Flask, manager: OfficeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flask would send the response as it was: only logged, not processed."""

    def fails(response: Response) -> Response:
        raise RuntimeError(SECRET)

    monkeypatch.setitem(office_with_leaks.after_request_funcs, None, [fails])
    assert _withheld(manager.get("/api/v1/leaky/good"))
    assert _withheld(manager.get("/api/v1/nowhere"))


def test_what_goes_around_the_gate_does_not_reach_the_server(
    office_with_leaks: Flask, manager: OfficeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office_with_leaks, "process_response", lambda response: response)
    answer = manager.get("/api/v1/leaky/good")
    assert (answer.status_code, answer.data) == (500, b"")


def test_the_log_names_the_rule_and_the_operation_and_nothing_else(
    manager: OfficeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = manager.get("/api/v1/leaky/json/1")
    said = capsys.readouterr()
    line = said.out + said.err
    assert answer.json["incident"] in line and "OutOfShape:ThingSchema" in line and "leaky.leak_json" in line
    assert SECRET not in line and "balance" not in line


class _Narrow(Schema):
    audiences = SIGNED_IN
    name = open_(ma.fields.String())


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": ma.fields.String()}, "T.name has no label"),
        ({"street": place(ma.fields.String())}, "T.street is place, which is not for machine"),
        ({"balance": confidential(ma.fields.Integer())}, "is confidential, which is not for machine"),
        ({"who": internal(ma.fields.Nested(ThingSchema))}, "ThingSchema is not for machine"),
        ({"who": internal(ma.fields.List(ma.fields.Nested(_Narrow)))}, "_Narrow is not for machine"),
        ({"who": internal(ma.fields.Nested(lambda: ThingSchema()))}, "name the nested schema's class"),
        ({"who": internal(ma.fields.Nested(ma.Schema.from_dict({})))}, "is no labelled schema"),
        ({"any": internal(ma.fields.Dict())}, "free-form"),
        ({"any": internal(ma.fields.Raw())}, "free-form"),
        ({"any": internal(ma.fields.Function(lambda _: SECRET))}, "nobody can tell what a Function field holds"),
        ({"audiences": frozenset()}, "names no audiences"),
    ],
)
def test_a_schema_that_could_leak_is_refused_where_it_is_written(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(SchemaRefused, match=why):
        type("T", (Schema,), {"audiences": OUTSIDE, **fields})


def test_a_field_has_one_label() -> None:
    with pytest.raises(SchemaRefused):
        internal(confidential(ma.fields.String()))


def test_a_check_lists_what_its_audience_may_see_and_no_more() -> None:
    """The start refuses such a schema for an administrator; the check made for one would not list the street either."""
    shape_of(ThingSchema(), Audience.MANAGER)({"street": "Calle Falsa"})
    with pytest.raises(OutOfShape):
        shape_of(ThingSchema(), Audience.ADMIN)({"street": "Calle Falsa"})
    with pytest.raises(Unreadable):
        shape_of(ThingSchema(only=("id",)), Audience.MANAGER)
