"""The description of the breach API for programs, in OpenAPI 3.1 form."""

from typing import Any

from django.conf import settings

_TEXT = {"type": "string"}
_MARK = {"type": "boolean"}
_FIELDS: dict[str, dict[str, Any]] = {
    "Name": {"type": "string", "description": "The incident's slug. It never changes."},
    "Title": _TEXT,
    "Domain": {"type": "string", "description": "The company's host; may be empty."},
    "BreachDate": {"type": "string", "format": "date"},
    "AddedDate": {"type": "string", "format": "date-time"},
    "ModifiedDate": {"type": "string", "format": "date-time"},
    "PwnCount": {
        "type": "integer",
        "description": "The number of accounts that the company reported; 0: none is stated.",
    },
    "Description": {"type": "string", "description": "HTML."},
    "LogoPath": {"type": "string", "format": "uri"},
    "Attribution": {"type": ["string", "null"]},
    "DisclosureUrl": {"type": ["string", "null"], "format": "uri"},
    "DataClasses": {"type": "array", "items": _TEXT},
    **dict.fromkeys(
        (
            *("IsVerified", "IsFabricated", "IsSensitive", "IsRetired", "IsSpamList", "IsMalware"),
            *("IsSubscriptionFree", "IsStealerLog"),
        ),
        _MARK,
    ),
}
_BREACH = {"$ref": "#/components/schemas/Breach"}


def description() -> dict[str, Any]:
    """Returns the OpenAPI document; its server is settings.PORTAL_URL."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "breachportal: the breach API",
            "version": "3",
            "description": "What is public about incidents, in Have I Been Pwned's form.",
        },
        "servers": [{"url": f"{settings.PORTAL_URL}/api/v3"}],
        "paths": {
            "/breaches": _path(
                "All public incidents, sorted by name.",
                {"type": "array", "items": _BREACH},
                _parameter("Domain", "query", "Only the incidents of this domain."),
                _parameter("IsSpamList", "query", "`true` finds none: no spam lists exist here."),
                others={"429": {"description": "Too many requests; see Retry-After."}},
            ),
            "/breach/{name}": _path(
                "One public incident.",
                _BREACH,
                _parameter("name", "path", "The incident's slug."),
                others={"404": {"description": "No public incident has this name."}},
            ),
            "/latestbreach": _path(
                "The incident that became public last.",
                _BREACH,
                others={"404": {"description": "No incident is public."}},
            ),
            "/dataclasses": _path(
                "The names of all data classes.", {"type": "array", "items": _TEXT}
            ),
            "/breachedaccount/{account}": _refused(),
            "/pasteaccount/{account}": _refused(),
        },
        "components": {
            "schemas": {
                "Breach": {
                    "type": "object",
                    "properties": _FIELDS,
                    "required": list(_FIELDS),
                    "additionalProperties": False,
                }
            }
        },
    }


def _path(
    summary: str,
    schema: dict[str, Any],
    *parameters: dict[str, Any],
    others: dict[str, Any] | None = None,
) -> dict[str, Any]:
    found = {"description": summary, "content": {"application/json": {"schema": schema}}}
    responses = {"200": found, **(others or {})}
    return {"get": {"summary": summary, "parameters": [*parameters], "responses": responses}}


def _refused() -> dict[str, Any]:
    summary = "Always refused: people see their own data after they sign in."
    account = _parameter("account", "path", "Any value. Send no address of a person.")
    responses = {"401": {"description": summary}}
    return {"get": {"summary": summary, "parameters": [account], "responses": responses}}


def _parameter(name: str, place: str, text: str) -> dict[str, Any]:
    parameter = {"name": name, "in": place, "description": text, "schema": _TEXT}
    return parameter | {"required": place == "path"}
