"""What portal.js says. It fills {…} in; the texts travel with the page, in the language that is active."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

WORDS = {
    "connected": _("Connected"),
    "lost": _("Needs reconnect"),
    "lostReason": _("Access was withdrawn or has run out."),
    "someAccount": _("Connected account"),
    "since": _("Connected since {date}"),
    "goOn": _("Go on in the window that opened. It asks you there to allow access to {name}."),
    "goOnSwitching": _("Go on in the window that opened. To use another account, sign in to {name} with it there."),
    "openAgain": _("Open the window again"),
    "addAccount": _("Add another account"),
    "disconnectTitle": _("Disconnect {account}?"),
    "stops": _("Nothing more is done in your name with this account."),
    "stopsWorkflows": _("These are switched off and their settings are deleted: {names}."),
    "stays": _("What was already done in {name} stays there."),
    "withdraw": _("To withdraw the permission itself too, remove this app in your {name} account."),
    "manage": _("Open your account’s connected apps"),
    "optional": _("{title} (optional)"),
    "required": _("{title} is required."),
    "choose": _("Choose…"),
    "saving": _("Saving…"),
    "saved": _("Saved"),
    "times": _("{count} times"),
    "done": _("Done"),
    "refused": _("Refused"),
    "failed": _("Failed"),
    "running": _("Under way"),
    "waiting": _("Waiting"),
    "uncertain": _("Unclear"),
    "cancelled": _("Cancelled"),
}

# What a Connect button on the product's page says.
BUTTON_WORDS = {
    "connect": _("Connect {name}"),
    "connecting": _("Connecting…"),
    "connected": _("Connected as {account}"),
    "several": _("Connected with {count} accounts"),
    "reconnect": _("Reconnect {name}"),
}


def words() -> dict[str, str]:
    return _said(WORDS)


def button_words() -> dict[str, str]:
    return _said(BUTTON_WORDS)


def _said(texts: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(text) for name, text in texts.items()}
