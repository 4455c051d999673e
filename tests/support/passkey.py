"""A passkey as a browser registered it at http://localhost, captured from Chromium's virtual authenticator."""

from typing import Any

from allauth.mfa.models import Authenticator

from integrations.models import User

CREDENTIAL = {
    "type": "public-key",
    "id": "r4u-L1Ki3LSmCY8FrCUIgYt99at41OC9PUw3oleTZ8s",
    "rawId": "r4u-L1Ki3LSmCY8FrCUIgYt99at41OC9PUw3oleTZ8s",
    "authenticatorAttachment": "platform",
    "response": {
        "clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiTDcwVFVFM1h2OTd2LWNsYy13eFVDZ09ZS2hWT1J"
        "lcVhaSWFuV1ZQcGJLNCIsIm9yaWdpbiI6Imh0dHA6Ly9sb2NhbGhvc3Q6ODExMCIsImNyb3NzT3JpZ2luIjpmYWxzZX0",
        "attestationObject": "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVikSZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2NF"
        "AAAAAQECAwQFBgcIAQIDBAUGBwgAIK-Lvi9Soty0pgmPBawlCIGLffWreNTgvT1MN6JXk2fLpQECAyYgASFYICzvPrNYQI3R8M1of04x3UyCEul15k"
        "l_YAIU071rMOlYIlggiZii5kf67_EszwvcYo7Fml59gypsKOYOzkUSaQDF0ks",
        "transports": ["internal"],
    },
    "clientExtensionResults": {"credProps": {"rk": True}},
}


def passkey_of(user: User, name: str = "Passkey") -> Any:
    """Return a passkey that somebody has added."""
    data = {"name": name, "credential": CREDENTIAL}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)
