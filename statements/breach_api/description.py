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
_NAMED = {"type": "object", "properties": {"Name": _FIELDS["Name"]}, "required": ["Name"]}
_LEAKED = {"type": "array", "items": {"anyOf": [_BREACH, _NAMED]}}
_KEY = "key"  # the name of the security scheme
_REFUSALS = {
    "400": "The account is empty, or too long for an e-mail address.",
    "401": "No key, or one that is not valid.",
    "403": "The address is none that the key's owner has proven.",
    "429": "Too many requests; see Retry-After.",
}


def description() -> dict[str, Any]:
    """Returns the OpenAPI document; its server is settings.PORTAL_URL."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "breachportal: the breach API",
            "version": "3",
            "description": "What is public about incidents, and look-ups of one's own address, in "
            "Have I Been Pwned's form.",
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
            "/breachedaccount/{account}": _look_up(
                "The incidents in which data of an own address leaked.",
                {
                    "200": {
                        "description": "Data of the address leaked in these incidents. It is not "
                        "cleared of others. With truncateResponse=false whole breaches, as they "
                        "are public: DataClasses are those of the incident, not of the person.",
                        "content": {"application/json": {"schema": _LEAKED}},
                    },
                    "404": {
                        "description": "This address is not among the leaked data known. Rows that "
                        'hold only another contact of the owner are at "my data".'
                    },
                    "503": {
                        "description": "No all-clear: it is not known, was answered otherwise "
                        "before a withdrawal, or is only told to the owner who signs in. See "
                        "Retry-After."
                    },
                },
                _parameter("truncateResponse", "query", "`false` returns whole breaches."),
                _parameter("domain", "query", "Only the incidents of this domain."),
            ),
            "/pasteaccount/{account}": _look_up(
                "The pastes with an own address: none, because the portal has no pastes.",
                {"404": {"description": "No paste."}},
            ),
        },
        "components": {
            "securitySchemes": {_KEY: {"type": "apiKey", "in": "header", "name": "hibp-api-key"}},
            "schemas": {
                "Breach": {
                    "type": "object",
                    "properties": _FIELDS,
                    "required": list(_FIELDS),
                    "additionalProperties": False,
                }
            },
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


def _look_up(summary: str, responses: dict[str, Any], *more: dict[str, Any]) -> dict[str, Any]:
    account = _parameter("account", "path", "An e-mail address that the key's owner has proven.")
    refusals = {status: {"description": text} for status, text in _REFUSALS.items()}
    found = {"summary": summary, "parameters": [account, *more], "security": [{_KEY: []}]}
    return {"get": {**found, "responses": responses | refusals}}


def _parameter(name: str, place: str, text: str) -> dict[str, Any]:
    parameter = {"name": name, "in": place, "description": text, "schema": _TEXT}
    return parameter | {"required": place == "path"}
