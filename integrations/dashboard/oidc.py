"""Signing in with an identity provider of one's own (OpenID Connect), set up by the OIDC_… settings alone.

allauth carries the protocol: state (once, bound to the session), PKCE, and of the ID token issuer, audience and expiry.
Its signature is not checked, because it comes from the token endpoint itself, over TLS (OpenID Connect Core 3.1.3.7).
Who may come in is decided here, by the address that the provider says is verified.
"""

import hashlib
import logging
from typing import Any
from urllib.parse import urlsplit

from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from requests import RequestException, Session

from integrations.dashboard import accounts, invitations
from integrations.dashboard.names import JOINERS, as_seen
from integrations.models import Invitation, User

logger = logging.getLogger(__name__)

SLUG = "oidc"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
REMOVED = (
    "You sign in with {name} from now on. The password and second factors of this account were removed, because nobody"
    " had shown before that its address is yours."
)


def is_on() -> bool:
    return bool(settings.OIDC_SERVER_URL and settings.OIDC_CLIENT_ID)


# The pages ------------------------------------------------------------------------------------------------------------


@never_cache
@require_GET
def login(request: HttpRequest) -> HttpResponse:
    """Go to the identity provider."""
    if request.user.is_authenticated:
        return redirect(get_next_redirect_url(request) or "dashboard:home")
    return _carry(request, OAuth2LoginView)


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Come back from it."""
    return _carry(request, OAuth2CallbackView)


@never_cache
@require_GET
def cancelled(request: HttpRequest) -> HttpResponse:
    messages.info(request, f"Signing in with {settings.OIDC_NAME} was cancelled.")
    return redirect("account_login")


def _carry(request: HttpRequest, view: Any) -> HttpResponse:
    if not is_on():
        raise Http404
    adapter = Protocol(request, SLUG)
    try:
        response: HttpResponse = view.adapter_view(adapter)(request)
    except (RequestException, OAuth2Error, KeyError, ValueError) as error:
        # It is away, or answers what no identity provider would.
        response = render_authentication_error(request, adapter.get_provider(), exception=error)
    return response


# The protocol ---------------------------------------------------------------------------------------------------------


class Protocol(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    @property
    def openid_config(self) -> dict[str, Any]:
        """Return what the provider says of itself. Raises OAuth2Error for addresses without https."""
        config: dict[str, Any] = super().openid_config
        for name in ENDPOINTS:
            parts = urlsplit(config[name])
            is_here = settings.IS_LOCAL and parts.hostname in settings.LOOPBACK_HOSTS
            if parts.scheme != "https" and not is_here:
                raise OAuth2Error(f"The {name} of {settings.OIDC_SERVER_URL} is not an https address.")
        return config

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return f"{settings.PUBLIC_URL}{reverse('oidc_callback')}"

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        if not kwargs["response"].get("id_token"):
            raise OAuth2Error("There is no ID token in the answer.")
        return super().complete_login(request, app, token, **kwargs)


class IdentityProvider(OpenIDConnectProvider):  # type: ignore[misc]
    oauth2_adapter_class = Protocol

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Take from the address only where to go afterwards: not scopes, not what else is asked of the provider."""
        return {"process": AuthProcess.LOGIN, "next_url": get_next_redirect_url(request)}

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Return who it is, at this issuer: another one may have the same numbers for other people."""
        claims, userinfo = data["id_token"], data["userinfo"]
        if claims["sub"] != userinfo["sub"]:
            raise OAuth2Error("The ID token and the user's information are about two people.")
        return hashlib.sha256(f"{claims['iss']}\n{claims['sub']}".encode()).hexdigest()

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"email": _all(data).get("email", "")}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return dict(super().extract_common_fields(_all(data)))

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        return list(super().extract_email_addresses(_all(data)))


def _all(data: dict[str, Any]) -> dict[str, Any]:
    """Return what both the ID token and the user's information say: either may leave out the address."""
    return dict(data["id_token"] | data["userinfo"])


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> IdentityProvider:
        app = SocialApp(
            provider="openid_connect",
            provider_id=SLUG,
            name=settings.OIDC_NAME,
            client_id=settings.OIDC_CLIENT_ID,
            secret=settings.OIDC_CLIENT_SECRET,
            settings={"server_url": settings.OIDC_SERVER_URL, "oauth_pkce_enabled": True},
        )
        return IdentityProvider(request, app=app)

    def get_requests_session(self) -> Session:
        session: Session = super().get_requests_session()  # with a time-out
        session.trust_env, session.max_redirects = False, 0
        return session

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find or make the account of whoever comes from the identity provider. Turns others away with a page."""
        email = _verified_email(sociallogin)
        invited = Invitation.objects.open().filter(email__iexact=email) if email else Invitation.objects.none()
        if not sociallogin.is_existing:
            sociallogin.connect(request, _account(request, sociallogin, email, is_invited=invited.exists()))
        if invited and email == sociallogin.user.email:
            invitations.show(request, *invited)
            sociallogin.state["next"] = sociallogin.state.get("next") or reverse("invitations")

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> None:
        reason = kwargs.get("exception") or request.GET.get("error") or "the state is unknown, used or too old"
        logger.warning("signing in with the identity provider failed: %s", str(reason)[:300])


@transaction.atomic
def _account(request: HttpRequest, sociallogin: SocialLogin, email: str, *, is_invited: bool) -> User:
    if not email:
        raise _turned_away(request, "unverified")
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        if not (is_invited or email.rpartition("@")[2] in settings.OIDC_ALLOWED_DOMAINS):
            raise _turned_away(request, "unknown")
        named = sociallogin.user
        # Nobody could correct it there: what would be refused in a form is left out.
        first, last = (as_seen(name, may=JOINERS) for name in (named.first_name, named.last_name))
        names = {"first_name": first, "last_name": last}
        return User.objects.create_user(email, proven_email=email, **names)
    if not user.has_proven_email:
        _take_over(request, user)
    return user


def _take_over(request: HttpRequest, user: User) -> None:
    """Give an account to whom its address is. Who had its password until now may be somebody else."""
    if user.has_usable_password():
        messages.warning(request, REMOVED.format(name=settings.OIDC_NAME))
    accounts.forget_ways_in(user)
    user.prove_email()


def _verified_email(sociallogin: SocialLogin) -> str:
    """Return the address that the provider says is verified, "" for none."""
    is_verified = (True, "true")  # Some say it as text; "false" is text too.
    found = [each for each in sociallogin.email_addresses if settings.OIDC_TRUST_EMAIL or each.verified in is_verified]
    return found[0].email.lower() if found else ""


def _turned_away(request: HttpRequest, why: str) -> ImmediateHttpResponse:
    return ImmediateHttpResponse(render(request, "account/turned_away.html", {"why": why}, status=403))
