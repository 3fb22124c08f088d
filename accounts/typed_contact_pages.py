"""Asks about a typed address or number before a code goes to it.

A mistake in the domain, or a number that is valid in two countries, would reach a stranger.
"""

from typing import Any

import phonenumbers
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.forms import ContactForm


def question_about(
    request: HttpRequest, form: ContactForm, *, action: str, next_url: str = ""
) -> HttpResponse | None:
    """Returns the page with the question about what `form` holds, or None if nothing is to ask.

    Its buttons post the answer to the URL with the name `action`.
    """
    is_valid = form.is_valid()
    if form.numbers:
        template = "accounts/which_number.html"
        numbers = [(number, _with_country_code(number)) for number in form.numbers]
        context: dict[str, Any] = {"typed": form.data.get("email", ""), "numbers": numbers}
    elif is_valid and (suggestion := form.suggestion):
        template = "accounts/is_address_right.html"
        context = {"email": form.cleaned_data["email"], "suggestion": suggestion}
    else:
        return None
    return render(request, template, {**context, "action": reverse(action), "next_url": next_url})


def _with_country_code(number: str) -> str:
    parsed = phonenumbers.parse(number)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
