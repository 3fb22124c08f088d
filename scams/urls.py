"""URLs of the message check, its answers and scam reports (scams.views)."""

from django.urls import URLPattern, path

from scams import views

urlpatterns: list[URLPattern] = [
    path("check/", views.message_check, name="message_check"),
    path("check/answer/", views.message_check_answer, name="message_check_answer"),
    path("check/code/<str:code>/", views.message_checked, name="message_checked"),
    path("check/report/", views.report_scam, name="report_scam"),
    path("check/reported/", views.scam_reported, name="scam_reported"),
]
