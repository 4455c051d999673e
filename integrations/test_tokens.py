"""A user token for somebody's own test account, to try the API with: signed by this server and good for minutes.

What a customer's back end signs is something else (user_tokens.py). This one is for a developer of the project who is
signed in to the dashboard, speaks for their test account only (try_it.py), and ends with their membership.
"""

import time

from django.core import signing

from integrations.models import Member, Project, User

SECONDS = 15 * 60
PREFIX = "pbt_"
SALT = "patchbay.test-token"
SUB = "patchbay-test-"


def sub_of(staff: User) -> str:
    """Return the end user's id of a dashboard user's test account."""
    return f"{SUB}{staff.pk}"


def issue(project: Project, staff: User) -> str:
    return PREFIX + signing.dumps([str(project.pk), staff.pk, int(time.time())], salt=SALT)


def is_one(token: str) -> bool:
    return token.startswith(PREFIX)


def read(project: Project, token: str) -> dict[str, object] | None:
    """Return the claims of a token that is good for this project; None for every other."""
    try:
        of, staff_id, issued = signing.loads(token.removeprefix(PREFIX), salt=SALT, max_age=SECONDS)
    except signing.BadSignature:
        return None
    staff = User.objects.filter(pk=staff_id, is_active=True).first()
    if staff is None or of != str(project.pk):
        return None
    if not Project.objects.allowing(staff, Member.Role.DEVELOPER).filter(pk=project.pk).exists():
        return None
    return {"sub": sub_of(staff), "iat": issued, "exp": issued + SECONDS}
