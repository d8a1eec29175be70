"""A stand-in of Google Cloud: a token endpoint that checks signatures, and BigQuery with an export.

It knows one query, the one that adds up a billing export; what the real service would refuse of it
(legacy SQL, unnamed parameters, another table, a job asked for elsewhere) is refused here too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple
from urllib.parse import parse_qs

from bot.sandbox.biller import Asked, Biller, KeyKind
from bot.sandbox.google_token import READER, STRANGER, account_json, token_answer
from bot.sandbox.loopback import Incoming
from bot.sandbox.wire import Answer, answered, refusal

TABLE: Final = "acme-billing.export.gcp_billing_export_v1_0A1B2C_3D4E5F_6A7B8C"
_LOCATION: Final = "EU"
_GEMINI: Final = "Gemini API"
_UNIT: Final = "count"


class Charge(NamedTuple):
    """One group of the export's rows; amounts are texts, as the query asks for them."""

    day: date
    service: str
    sku: str
    cost: str
    credits: str = "0"
    cost_type: str | None = "regular"
    currency: str = "USD"
    unit: str | None = None
    quantity: str | None = None


class Google(Biller):
    """A running stand-in. `RIGHT` and `WRONG` are the access tokens that it gives out."""

    PREFIX: ClassVar[str] = "/bigquery/v2"
    RIGHT: ClassVar[str] = "ya29.c.stand-in-reader-0123456789abcdef"
    WRONG: ClassVar[str | None] = "ya29.c.stand-in-stranger-0123456789abcdef"

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.charges: list[Charge] = []
        """What is in the export beside the days of `spend`."""
        self.page_rows = 1_000
        """How many rows fit into one answer, whatever is asked for."""
        self.polls_until_done = 0
        """How many answers say that the query is still running."""
        self.token_url = ""
        self._jobs: dict[str, list[Charge]] = {}
        self._running = 0
        super().__init__(now)
        self.token_url = f"http://{self.address}/token"

    def service_account(self, *, may_read: bool = True) -> str:
        """Return the key for the vault, on one line; `may_read` is whether it has its roles."""
        return account_json(READER if may_read else STRANGER, self.token_url)

    def _note(self, incoming: Incoming) -> Asked:
        asked = super()._note(incoming)
        # Whoever asks for a token has none yet.
        return replace(asked, key="right") if asked.path == "/token" else asked

    def answer(self, asked: Asked) -> Answer:
        """Answer the token endpoint and the two methods of BigQuery."""
        if asked.path == "/token":
            return self._token(asked)
        post = re.fullmatch(r"/projects/([^/]+)/queries", asked.path)
        if asked.method == "POST" and post:
            return self._query(post[1], json.loads(asked.body))
        get = re.fullmatch(r"/projects/([^/]+)/queries/([^/]+)", asked.path)
        if asked.method == "GET" and get:
            return self._results(get[2], asked)
        return _refused(404, "Not found.", "NOT_FOUND")

    def refuse(self, kind: KeyKind) -> Answer:
        """Refuse in BigQuery's words."""
        if kind == "wrong type":
            said = (
                "Access Denied: Project acme-billing: User does not have bigquery.jobs.create"
                " permission in project acme-billing."
            )
            return _refused(403, said, "PERMISSION_DENIED")
        said = "Request had invalid authentication credentials. Expected OAuth 2 access token."
        return _refused(401, said, "UNAUTHENTICATED")

    def _token(self, asked: Asked) -> Answer:
        fields = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if asked.method != "POST":
            return _refused(405, "Method Not Allowed", "INVALID_ARGUMENT")
        tokens = {READER: self.RIGHT, STRANGER: str(self.WRONG)}
        return token_answer(fields, self.token_url, self.now().timestamp(), tokens)

    def _query(self, project: str, body: Mapping[str, Any]) -> Answer:
        query = str(body.get("query", ""))
        if body.get("useLegacySql") is not False or body.get("parameterMode") != "NAMED":
            return _refused(400, "Syntax error: Unexpected token", "INVALID_ARGUMENT")
        if project != TABLE.partition(".")[0] or f"`{TABLE}`" not in query:
            return _refused(404, "Not found: Table was not found in location EU", "NOT_FOUND")
        given = {
            one["name"]: date.fromisoformat(one["parameterValue"]["value"])
            for one in body.get("queryParameters", ())
            if one["parameterType"] == {"type": "DATE"}
        }
        if set(re.findall(r"@(\w+)", query)) != set(given):
            return _refused(400, "Query parameter not found", "INVALID_ARGUMENT")
        if body.get("dryRun") is True:
            return answered({**_head(""), "totalBytesProcessed": "1048576", "jobComplete": True})
        job = f"job_{len(self._jobs):04}"
        self._jobs[job] = [
            charge for charge in self._export() if given["first"] <= charge.day <= given["last"]
        ]
        self._running = self.polls_until_done
        return self._page(job, int(body.get("maxResults", 1_000)), 0)

    def _results(self, job: str, asked: Asked) -> Answer:
        if job not in self._jobs or asked.value("location") != _LOCATION:
            return _refused(404, "Not found: Job acme-billing:job", "NOT_FOUND")
        token = asked.value("pageToken")
        return self._page(job, int(asked.value("maxResults", "1000")), int(token[1:] or 0))

    def _page(self, job: str, most: int, start: int) -> Answer:
        if self._running:
            self._running -= 1
            return answered({**_head(job), "jobComplete": False})
        rows, most = self._jobs[job], min(most, self.page_rows)
        body = {**_head(job), "schema": _SCHEMA, "jobComplete": True, "totalRows": str(len(rows))}
        if shown := rows[start : start + most]:
            body["rows"] = [_row(charge) for charge in shown]
        if start + most < len(rows):
            body["pageToken"] = f"B{start + most}"
        return answered(body)

    def _export(self) -> list[Charge]:
        """Return every group in the order of the query, days of `spend` as two SKUs of Gemini."""
        found = list(self.charges)
        for day, usd in self.spent.items():
            prompts = usd / 4
            for sku, net, credit in (
                ("input", prompts, Decimal(0)),
                ("output", usd - prompts, -usd / 8),
            ):
                name = f"Generate content {sku} token count Gemini 3 Pro"
                tokens = str(1000 + 7 * (day.toordinal() % 100))
                found.append(
                    Charge(
                        day,
                        _GEMINI,
                        name,
                        f"{net - credit:f}",
                        f"{credit:f}",
                        unit=_UNIT,
                        quantity=tokens,
                    )
                )
        return sorted(found, key=lambda charge: (charge.day, charge.service, charge.sku))


# The order is not the query's on purpose: columns go by their names.
_FIELDS: Final = (
    "currency", "day", "service", "sku", "cost_type", "cost", "credits", "unit", "quantity",
)  # fmt: skip
_SCHEMA: Final = {
    "fields": [{"name": name, "type": "STRING", "mode": "NULLABLE"} for name in _FIELDS]
}


def _row(charge: Charge) -> dict[str, Any]:
    texts = {**charge._asdict(), "day": charge.day.isoformat()}
    return {"f": [{"v": texts[name]} for name in _FIELDS]}


def _head(job: str) -> dict[str, Any]:
    where = {"projectId": "acme-billing", "location": _LOCATION}
    return {
        "kind": "bigquery#queryResponse",
        "jobReference": {**where, "jobId": job} if job else where,
    }


def _refused(status: int, message: str, name: str) -> Answer:
    plain = refusal(status, message)
    error = json.loads(plain.body)["error"]
    reason = {"message": message, "domain": "global", "reason": name.lower()}
    body = json.dumps({"error": {**error, "errors": [reason], "status": name}})
    return Answer(status, body.encode(), plain.headers)
