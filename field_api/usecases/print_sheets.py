"""All visit sheets of a plan in one file for the printer, without letters."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.ports import Paper, PaperRefused, Papers
from field_api.platform.problems import Problem
from field_api.queries.route_sheets import route_sheets
from field_api.records.base import load
from field_api.records.planning import Plan
from field_api.usecases.issue_papers import sheet_job


def print_sheets(session: Session, plan_id: UUID, *, renderer: Papers) -> Paper:
    """By agent's code, as they are now; printed on both sides, each begins on a front side.

    Raises Problem `not-found` (no such plan, no route), `conflict` (a draft), `unavailable` (no layout); PaperFailed.
    """
    if load(session, Plan, plan_id).state != "published":
        raise Problem("conflict", "only a published plan is printed")
    jobs = [sheet_job(found) for found in route_sheets(session, plan_id=plan_id)]
    if not jobs:
        raise Problem("not-found", "there is no route to print")
    with audience(Audience.AGENT):
        made = renderer.render([replace(job, data={**job.data, "fill": len(jobs) > 1}) for job in jobs])
    if any(isinstance(paper, PaperRefused) for paper in made):
        raise Problem("unavailable", "a sheet cannot be laid out")
    return renderer.joined([paper for paper in made if isinstance(paper, Paper)])
