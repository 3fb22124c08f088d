"""The URLs of the breach API, below /api/v3/, as in Have I Been Pwned's form."""

from django.urls import path

from statements.breach_api import views

urlpatterns = [
    path("openapi.json", views.openapi, name="api_description"),
    path("breaches", views.breaches, name="api_breaches"),
    path("breach/<slug:name>", views.breach, name="api_breach"),
    path("latestbreach", views.latest_breach, name="api_latest_breach"),
    path("dataclasses", views.data_classes, name="api_data_classes"),
    path("breachedaccount/<path:account>", views.account, name="api_account"),
    path("pasteaccount/<path:account>", views.account, name="api_pastes"),
]
