"""URLs of the pages about notices: public figures, certificates and alerts (notices.views)."""

from django.urls import URLPattern, path

from notices.views import alerts, certificates, claims, messages, transparency

urlpatterns: list[URLPattern] = [
    path("incidents/<slug:slug>/transparency/", transparency.transparency, name="transparency"),
    path("incidents/<slug:slug>/certificate/", certificates.certificate, name="certificate"),
    path("certificates/", certificates.certificate_check, name="certificate_check"),
    path("certificates/<str:code>/", certificates.certificate_checked, name="certificate_checked"),
    path("my-data/messages/", messages.my_messages, name="my_messages"),
    path("my-data/claims/", claims.claims, name="claims"),
    path("my-data/claims/<int:pk>/withdraw/", claims.withdraw_claim, name="withdraw_claim"),
    path("my-data/claims/stop/<str:token>/", claims.stop_claim, name="stop_claim"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/browsers/", alerts.subscribe_browser, name="subscribe_browser"),
    path("alerts/browsers/<uuid:key>/end/", alerts.end_browser, name="end_browser"),
    path("alerts/end/", alerts.end_alerts, name="end_alerts"),
    path("alerts/undo/", alerts.undo_end_alerts, name="undo_end_alerts"),
    path("stop/<str:code>/", alerts.stop_texts, name="stop_texts"),
    path("alerts/unsubscribe/<str:token>/", alerts.unsubscribe, name="unsubscribe"),
]
