"""The page "Is this message from us?", its answers, and reports of scams; see scams.views."""

from django.urls import URLPattern, path

from scams import views

urlpatterns: list[URLPattern] = [
    path("check/", views.check, name="message_check"),
    path("check/answer/", views.answer, name="message_check_answer"),
    path("check/report/", views.report, name="report_scam"),
    path("check/reported/", views.reported, name="scam_reported"),
]
