"""The URLs of the breach API, below /api/v3/, as in Have I Been Pwned's form."""

from django.urls import path, re_path

from statements.breach_api import look_ups, views

urlpatterns = [
    path("openapi.json", views.openapi, name="api_description"),
    path("breaches", views.breaches, name="api_breaches"),
    path("breach/<slug:name>", views.breach, name="api_breach"),
    path("latestbreach", views.latest_breach, name="api_latest_breach"),
    path("dataclasses", views.data_classes, name="api_data_classes"),
    path("breachedaccount/<path:account>", look_ups.breached_account, name="api_account"),
    path("pasteaccount/<path:account>", look_ups.pastes, name="api_pastes"),
    # An unknown name of a breach is 404, whatever characters it has.
    re_path(r"^(?!breach/)", views.unknown_path, name="api_unknown"),
]
