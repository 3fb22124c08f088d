"""The answers of the breach API, with the statuses and bodies of Have I Been Pwned's form."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from statements.breach_api.records import Record


def parameters_of(request: HttpRequest) -> dict[str, str]:
    """Returns the parameters of the query by their names in lower case: the form ignores case."""
    return {name.lower(): request.GET.get(name, "") for name in request.GET}


def found(record: Record | None) -> HttpResponse:
    """Returns a record; 404 without a body if there is none."""
    if record is None:
        return HttpResponse(status=404, content_type="application/json")
    return json_of(record)


def error(status: int, message: str, *, retry_seconds: int = 0) -> HttpResponse:
    """Returns a refusal with its reason, and after how many seconds it can end."""
    response = json_of({"statusCode": status, "message": message}, status=status)
    if retry_seconds:
        response.headers["Retry-After"] = str(retry_seconds)
    return response


def json_of(value: Any, status: int = 200) -> HttpResponse:
    """Returns `value` as JSON, with letters of other scripts as they are."""
    parameters = {"ensure_ascii": False}
    return JsonResponse(value, safe=False, status=status, json_dumps_params=parameters)
