"""The pages and tokens of the provider of tests/oidc_provider.py, whose process imports it."""

from typing import Any

from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path
from django.utils.html import format_html
from oauth2_provider.oauth2_validators import OAuth2Validator

from tests.oidc_provider import FAULTS, claims_of, forged


class Validator(OAuth2Validator):
    """The toolkit's validator with the claims of the tests, and with forged ID tokens."""

    oidc_claim_scope = None

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        """Returns the claims of the signed-in person."""
        return claims_of(request.user.first_name)

    def finalize_id_token(self, id_token: Any, token: Any, token_handler: Any, request: Any) -> str:
        """Returns the toolkit's ID token, forged if the person's name is a fault."""
        key = request.client.jwk_key
        made = super().finalize_id_token(id_token, token, token_handler, request)
        fault = request.user.username
        return forged(fault, made, key) if fault in FAULTS else made


def sign_in(request: HttpRequest) -> HttpResponse:
    """Signs the person in whom the field `as` names, without a password."""
    following = request.GET["next"]
    if "as" not in request.GET:
        form = (
            "<form><input type=hidden name=next value='{}'><input name=as>"
            "<button>Sign in</button></form>"
        )
        return HttpResponse(format_html(form, following))
    name = request.GET["as"]
    users: Any = get_user_model()  # Django's, in this process
    user, _is_new = users.objects.get_or_create(username=name.partition("+")[0])
    user.first_name = name
    user.save()
    login(request, user)
    return HttpResponseRedirect(following)


urlpatterns = [
    path("sign-in/", sign_in),
    path("", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
