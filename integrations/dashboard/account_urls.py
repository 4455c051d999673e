"""Signing in, and one's own account. Of allauth's pages those that have a use here; each wears our design."""

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.urls import path, re_path
from django.views.decorators.cache import never_cache

from integrations.dashboard import oidc, second_factor
from integrations.dashboard.accounts import can_mail
from integrations.dashboard.views import account as own
from integrations.dashboard.views import joining


def private(route: str, view: Any, name: str) -> Any:
    """A page about somebody's account: it must not come up again with the Back button after signing out."""
    return path(route, never_cache(view), name=name)


def guarded(route: str, view: Any, name: str) -> Any:
    """A page that changes second factors."""
    return private(route, second_factor.guarding(view), name)


# Where no mail leaves, it must not say that one is on its way.
reset_asked = account.PasswordResetDoneView.as_view(extra_context={"can_mail": can_mail})

urlpatterns = [
    # Signing in
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", account.signup, name="account_signup"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", reset_asked, name="account_reset_password_done"),
    path("password/reset/key/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    private("second-factor/authenticate/", mfa.authenticate, "mfa_authenticate"),
    private("passkeys/login/", passkeys.login_webauthn, "mfa_login_webauthn"),
    path("oidc/login/", oidc.login, name="oidc_login"),
    path("oidc/callback/", oidc.callback, name="oidc_callback"),
    path("oidc/cancelled/", oidc.cancelled, name="socialaccount_login_cancelled"),
    # Being invited
    path("invitations/", joining.invitations, name="invitations"),
    path("invitations/<str:token>/", joining.open_invitation, name="open_invitation"),
    path("invitations/<int:invitation_id>/join/", joining.join, name="join"),
    path("invitations/<int:invitation_id>/accept/", joining.accept, name="accept_invitation"),
    path("invitations/<int:invitation_id>/decline/", joining.decline, name="decline_invitation"),
    # One's own account
    path("", own.profile, name="account_profile"),
    private("password/change/", account.password_change, "account_change_password"),
    private("password/set/", account.password_set, "account_set_password"),
    private("second-factor/", mfa.index, "mfa_index"),
    guarded("second-factor/totp/activate/", totp.activate_totp, "mfa_activate_totp"),
    guarded("second-factor/totp/deactivate/", totp.deactivate_totp, "mfa_deactivate_totp"),
    guarded("second-factor/recovery-codes/", codes.view_recovery_codes, "mfa_view_recovery_codes"),
    guarded("second-factor/recovery-codes/generate/", codes.generate_recovery_codes, "mfa_generate_recovery_codes"),
    path("second-factor/go-on/", own.go_on, name="second_factor_done"),
    private("passkeys/", passkeys.list_webauthn, "mfa_list_webauthn"),
    guarded("passkeys/add/", passkeys.add_webauthn, "mfa_add_webauthn"),
    guarded("passkeys/<int:pk>/edit/", passkeys.edit_webauthn, "mfa_edit_webauthn"),
    guarded("passkeys/<int:pk>/remove/", passkeys.remove_webauthn, "mfa_remove_webauthn"),
    path("sessions/", own.sessions, name="account_sessions"),
    path("sessions/end-others/", own.end_other_sessions, name="end_other_sessions"),
    path("sessions/<int:usersession_id>/end/", own.end_session, name="end_session"),
    # Confirming that it is still oneself
    private("reauthenticate/", account.reauthenticate, "account_reauthenticate"),
    private("second-factor/reauthenticate/", mfa.reauthenticate, "mfa_reauthenticate"),
    private("passkeys/reauthenticate/", passkeys.reauthenticate_webauthn, "mfa_reauthenticate_webauthn"),
]
