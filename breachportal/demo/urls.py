from django.urls import path

from breachportal.demo import views

urlpatterns = [
    path("mail/", views.mailbox, name="demo_mailbox"),
    path("mail/<str:name>/", views.mail, name="demo_mail"),
    path("mail/<str:name>/html/", views.mail_html, name="demo_mail_html"),
    path("authenticator/", views.authenticator, name="demo_authenticator"),
]
