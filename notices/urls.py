"""Pages about the notices: figures, certificates, "is this from us?", alerts; see notices.views."""

from django.urls import URLPattern, path

from notices.views import alerts, certificates, from_us, transparency

urlpatterns: list[URLPattern] = [
    path("incidents/<slug:slug>/transparency/", transparency.transparency, name="transparency"),
    path("incidents/<slug:slug>/certificate/", certificates.certificate, name="certificate"),
    path("certificates/", certificates.certificate_check, name="certificate_check"),
    path("certificates/<str:code>/", certificates.certificate_checked, name="certificate_checked"),
    path("check/", from_us.check, name="check"),
    path("check/answer/", from_us.answer, name="check_answer"),
    path("check/report/", from_us.report, name="report_scam"),
    path("check/reported/", from_us.reported, name="reported"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/unsubscribe/<str:token>/", alerts.unsubscribe, name="unsubscribe"),
]
