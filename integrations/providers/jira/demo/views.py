"""The back end of Acme Tasks: who is signed in, and a token that says so."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from integrations.providers.jira.demo import settings
from integrations.providers.jira.demo.tokens import user_token

COOKIE = "acme-user"
PEOPLE = {
    "alice": {"name": "Alice Moreau", "email": "alice@acme.example", "role": "Support lead"},
    "bob": {"name": "Bob Okafor", "email": "bob@acme.example", "role": "Engineer"},
}
TASKS = [
    ("Checkout fails for saved cards", "Three customers since Monday; the card form shows a blank page.", "Urgent"),
    ("Export takes minutes for large teams", "Teams above 500 people wait more than two minutes.", "Soon"),
    ("Welcome e-mail names the wrong plan", "It says Starter for everyone.", "Soon"),
    ("Ask for dark mode, again", "Eleven requests this quarter.", "Someday"),
]


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    context = {
        "people": PEOPLE,
        "user": user,
        "person": PEOPLE.get(user),
        "tasks": [{"title": title, "detail": detail, "when": when} for title, detail, when in TASKS],
        "patchbay": settings.PATCHBAY_URL,
        "project_id": settings.PATCHBAY_PROJECT_ID,
    }
    response = render(request, "acme/home.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def sign_in(request: HttpRequest) -> HttpResponse:
    response = redirect("home")
    chosen = request.POST.get("user", "")
    if chosen in PEOPLE:
        response.set_signed_cookie(COOKIE, chosen, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(COOKIE)
    return response


@require_GET
def token(request: HttpRequest) -> HttpResponse:
    """Return a fresh user token for whoever is signed in here; the page asks for one whenever it needs one."""
    user = signed_in(request)
    if not user:
        return JsonResponse({"message": "Nobody is signed in to Acme Tasks."}, status=401)
    try:
        signed = user_token(user)
    except FileNotFoundError:
        words = "Acme Tasks has no signing key yet. Start Patchbay once with `make run`, which makes one."
        return JsonResponse({"message": words}, status=503)
    return JsonResponse({"token": signed}, headers={"Cache-Control": "no-store"})


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def signed_in(request: HttpRequest) -> str:
    user = request.get_signed_cookie(COOKIE, default="")
    return user if user in PEOPLE else ""
