"""The URLs of the account pages, under `account/`.

allauth reverses the names that begin with `account_` or `mfa_`. Its pages for passwords and
sign-up do not exist here.
"""

from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.webauthn import views as webauthn
from django.urls import URLPattern, path

from accounts import contact_views, customer_passkeys, look_up_key_views, second_factor, views
from accounts.company_sign_on import views as company
from accounts.second_factor import staff_only
from accounts.team import pages, passkeys
from foundations.desk_pages import in_desk_language

urlpatterns: list[URLPattern] = [
    path("", views.account, name="account"),
    path("sign-in/", views.ask_for_code, name="account_login"),
    path("sign-in/begin/", views.ask_from_public_page, name="sign_in_begin"),
    path("sign-in/code/", views.enter_code, name="sign_in_code"),
    path("sign-in/code/again/", views.send_code_again, name="sign_in_code_again"),
    path("sign-in/second-step/", in_desk_language(mfa.authenticate), name="mfa_authenticate"),
    path("sign-in/company/connect/", company.connect, name="company_sign_on_connect"),
    path("sign-in/company/<slug:audience>/", company.begin, name="company_sign_on"),
    path("sign-in/passkey/", customer_passkeys.sign_in_with_passkey, name="passkey_sign_in"),
    path("sign-out/", views.sign_out, name="account_logout"),
    path("confirm/", views.confirm, name="step_up"),
    path("confirm/send/", views.send_step_up_code, name="step_up_send"),
    path("confirm/passkey/", customer_passkeys.step_up_with_passkey, name="passkey_step_up"),
    path("passkeys/", customer_passkeys.passkeys, name="passkeys"),
    path("passkeys/new/", customer_passkeys.add_passkey, name="add_passkey"),
    path("passkeys/remove/", customer_passkeys.remove_passkey, name="remove_passkey"),
    path("keys/", look_up_key_views.keys, name="look_up_keys"),
    path("keys/new/", look_up_key_views.new_key, name="new_look_up_key"),
    path("keys/end/", look_up_key_views.end_key, name="end_look_up_key"),
    path("contacts/new/", contact_views.new_contact, name="new_contact"),
    path("contacts/new/code/", contact_views.new_contact_code, name="new_contact_code"),
    path(
        "contacts/new/code/again/",
        contact_views.new_contact_code_again,
        name="new_contact_code_again",
    ),
    path("contacts/join/", contact_views.join_accounts, name="join_accounts"),
    path("contacts/remove/", contact_views.remove_contact_page, name="remove_contact"),
    path("sessions/", views.sessions, name="sessions"),
    path("close/", views.close_account, name="close_account"),
    path("closed/", views.account_closed, name="account_closed"),
    path("language/", views.choose_language, name="choose_language"),
    path("invitation/", pages.accept_invitation, name="invitation"),
    path("invitation/<str:token>/", pages.open_link, name="invitation_link"),
    path("mfa/", staff_only(mfa.index), name="mfa_index"),
    path("mfa/confirm/", staff_only(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("mfa/app/set-up/", second_factor.SetUpView.as_view(), name="mfa_activate_totp"),
    path("mfa/app/remove/", second_factor.RemoveView.as_view(), name="mfa_deactivate_totp"),
    path("mfa/passkeys/", staff_only(passkeys.passkeys_of), name="mfa_list_webauthn"),
    path("mfa/passkeys/set-up/", passkeys.SetUpPasskeyView.as_view(), name="mfa_add_webauthn"),
    path(
        "mfa/passkeys/confirm/",
        staff_only(webauthn.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "mfa/passkeys/<int:pk>/remove/",
        passkeys.RemovePasskeyView.as_view(),
        name="mfa_remove_webauthn",
    ),
    path(
        "mfa/recovery-codes/",
        staff_only(recovery_codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "mfa/recovery-codes/new/",
        staff_only(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "mfa/recovery-codes/download/",
        staff_only(recovery_codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
]
