"""BigQuery over REST: one query, all of its rows; see `jobs.query` and `jobs.getQueryResults`.

Values come as text whatever their type; columns are told apart by the names in the schema. A query
that is not done within a request's time is waited for with further requests, which BigQuery itself
holds back until there is something to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from costcompass_core.domain.errors import (
    KeyRejected,
    Unavailable,
    UnreadableAnswer,
    WrongKeyType,
)
from costcompass_core.providers.base import Client

WAIT_MS: Final = 20_000
"""How long BigQuery may keep us waiting for an answer: less than a request may take."""
PAGE_ROWS: Final = 5_000
MOST_POLLS: Final = 6
MOST_PAGES: Final = 200

_JOB: Final = re.compile(r"[A-Za-z0-9_-]{1,1024}")
_LOCATION: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_NOT_THE_KEY: Final = re.compile(
    r"\((403: .*(?:exceeded|quota|billing|has not been used|disabled).*)\)", re.IGNORECASE
)
_KEPT: Final = "earlier figures stay as they are; if this lasts, look for a newer CostCompass"


def question(query: str, **days: date) -> dict[str, Any]:
    """Return the request that asks `query` with `days` as its named parameters."""
    return {
        "query": query,
        "useLegacySql": False,
        "parameterMode": "NAMED",
        "queryParameters": [
            {
                "name": name,
                "parameterType": {"type": "DATE"},
                "parameterValue": {"value": day.isoformat()},
            }
            for name, day in days.items()
        ],
        "timeoutMs": WAIT_MS,
        "maxResults": PAGE_ROWS,
    }


def check(client: Client, path: str, asked: Mapping[str, Any]) -> None:
    """Have BigQuery check a question without running it, which takes the rights and costs nothing."""
    _asked(lambda: client.post(path, {**asked, "dryRun": True}).body)


def results(
    client: Client, path: str, asked: Mapping[str, Any], columns: Collection[str]
) -> Iterator[dict[str, Any]]:
    """Yield every row as values by name of column.

    Raises `UnreadableAnswer` for other columns, for pages that do not end, and in the end for
    another number of rows than was promised.
    """
    answer = _asked(lambda: client.post(path, asked).body)
    job, found_by = _job(answer)
    fixed = {**found_by, "timeoutMs": str(WAIT_MS), "maxResults": str(PAGE_ROWS)}

    def again(**more: str) -> dict[str, Any]:
        return _asked(lambda: client.get(f"{path}/{job}", {**fixed, **more}).body)

    polls = 0
    while not _done(answer):
        if polls == MOST_POLLS:
            raise Unavailable("BigQuery took too long over the query", "it is asked again later")
        polls += 1
        answer = again()
    seen: set[str] = set()
    count = 0
    while True:
        page = _page(answer, columns)
        yield from page.rows
        count += len(page.rows)
        if not page.token:
            break
        if page.token in seen or len(seen) == MOST_PAGES:
            raise unreadable("does not end: page after page, or the same page again")
        seen.add(page.token)
        answer = again(pageToken=page.token)
        if not _done(answer):
            raise unreadable("takes back that the query is done")
    if count != page.total:
        raise unreadable(f"has {count} rows in all and promised {page.total}")


def unreadable(why: str) -> UnreadableAnswer:
    """Return the error for an answer that cannot be relied on."""
    return UnreadableAnswer(f"the answer of BigQuery's /queries {why}", _KEPT)


def _asked(call: Callable[[], Any]) -> dict[str, Any]:
    """Return the object that a call returns; a quota in a 403 is no fault of the key."""
    try:
        body = call()
    except WrongKeyType:
        raise
    except KeyRejected as refused:
        said = _NOT_THE_KEY.search(refused.what)
        if said is None:
            raise
        body, why = None, said[1]
    else:
        if isinstance(body, dict):
            return body
        raise unreadable("is no object")
    raise Unavailable(f"BigQuery cannot be asked now ({why})")


def _done(answer: Mapping[str, Any]) -> bool:
    done = answer.get("jobComplete")
    if not isinstance(done, bool):
        raise unreadable("does not say whether the query is done")
    return done


def _job(answer: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the id of the job and the parameter that finds it.

    Only an answer that is all there is may do without: one is needed to read on.
    """
    job = answer.get("jobReference")
    if job is None and _done(answer) and not answer.get("pageToken"):
        return "", {}
    ident = job.get("jobId") if isinstance(job, dict) else None
    if not isinstance(ident, str) or not _JOB.fullmatch(ident):
        raise unreadable("names no job to read on from")
    where = job.get("location") if isinstance(job, dict) else None
    if where is None:
        return ident, {}
    if not isinstance(where, str) or not _LOCATION.fullmatch(where):
        raise unreadable("has its job at an odd location")
    return ident, {"location": where}


class _Page(NamedTuple):
    """Some rows, how many there are in all, and what asks for the next ones ("": nothing)."""

    rows: list[dict[str, Any]]
    total: int
    token: str


def _page(answer: Mapping[str, Any], columns: Collection[str]) -> _Page:
    schema = answer.get("schema")
    fields = schema.get("fields") if isinstance(schema, dict) else None
    names = [
        str(field.get("name")) if isinstance(field, dict) else ""
        for field in (fields if isinstance(fields, list) else ())
    ]
    if sorted(names) != sorted(columns):
        raise unreadable("has other columns than were asked for")
    total = answer.get("totalRows")
    if not isinstance(total, str) or not re.fullmatch(r"[0-9]{1,12}", total, re.ASCII):
        raise unreadable("does not say how many rows there are")
    rows, token = answer.get("rows", []), answer.get("pageToken", "")
    if not isinstance(rows, list) or not isinstance(token, str):
        raise unreadable("has rows or a page token of another shape")
    return _Page([_values(row, names, at) for at, row in enumerate(rows, 1)], int(total), token)


def _values(row: Any, names: list[str], number: int) -> dict[str, Any]:
    cells = row.get("f") if isinstance(row, dict) else None
    if (
        not isinstance(cells, list)
        or len(cells) != len(names)
        or not all(isinstance(cell, dict) and "v" in cell for cell in cells)
    ):
        raise unreadable(f"has a row {number} of another shape")
    return {name: cell["v"] for name, cell in zip(names, cells, strict=True)}
