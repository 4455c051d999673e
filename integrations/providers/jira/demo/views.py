"""The back end of Acme Tasks: who is signed in, and a token that says so."""

import hmac
import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.providers.jira.demo import settings
from integrations.providers.jira.demo.tasks import STATUSES, Tasks
from integrations.providers.jira.demo.tokens import user_token

COOKIE = "acme-user"
PEOPLE = {
    "alice": {"name": "Alice Moreau", "email": "alice@acme.example", "role": "Support lead"},
    "bob": {"name": "Bob Okafor", "email": "bob@acme.example", "role": "Engineer"},
}
WAIT_SECONDS = 20
MOST_BODY = 100_000
tasks = Tasks(settings.TASKS_FILE)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    context = {
        "people": PEOPLE,
        "user": user,
        "person": PEOPLE.get(user),
        "statuses": STATUSES,
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


@require_http_methods(["GET", "POST"])
def task_list(request: HttpRequest) -> HttpResponse:
    """Return the tasks once they are others than the page knows (GET), or add one (POST)."""
    user = signed_in(request)
    if not user:
        return _wrong(401, "Nobody is signed in to Acme Tasks.")
    if request.method == "POST":
        given = _json(request)
        title = str(given.get("title") or "").strip()
        if not title:
            return _wrong(400, "A task needs a title.")
        return JsonResponse(tasks.add(user, title, "Urgent" if given.get("priority") == "high" else "Soon"), status=201)
    after = request.GET.get("after", "")
    found = tasks.wait(user, int(after), WAIT_SECONDS) if after.isdecimal() and len(after) < 12 else tasks.of(user)
    return JsonResponse(found, headers={"Cache-Control": "no-store"})


@require_POST
def change_task(request: HttpRequest, task_id: str) -> HttpResponse:
    user, given = signed_in(request), _json(request)
    if not user:
        return _wrong(401, "Nobody is signed in to Acme Tasks.")
    status = str(given.get("status") or "")
    if status and status not in STATUSES:
        return _wrong(400, f"The status is one of {', '.join(STATUSES)}.")
    try:
        if "key" in given:
            tasks.hear(user, {"kind": "linked", "task": task_id, "key": given["key"], "url": given.get("url")})
    except ValueError as error:
        return _wrong(400, str(error))
    task = tasks.change(user, task_id, str(given.get("title") or "").strip(), status)
    return JsonResponse(task) if task else _wrong(404, "There is no such task.")


@csrf_exempt
@require_POST
def hear_of_jira(request: HttpRequest) -> HttpResponse:
    """What our workflows in Patchbay call: they tell what happened in Jira."""
    wanted = f"Bearer {settings.HOOK_TOKEN}"
    if not settings.HOOK_TOKEN or not hmac.compare_digest(request.headers.get("Authorization", ""), wanted):
        return _wrong(401, "The bearer token is missing or wrong.")
    given = _json(request)
    user = str(given.get("user") or "")
    if user not in PEOPLE:
        return _wrong(400, "“user” is nobody of Acme Tasks.")
    try:
        tasks.hear(user, given)
    except ValueError as error:
        return _wrong(400, str(error))
    return JsonResponse({"taken": True})


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.read(MOST_BODY))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _wrong(status: int, message: str) -> JsonResponse:
    return JsonResponse({"message": message}, status=status)


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def signed_in(request: HttpRequest) -> str:
    user = request.get_signed_cookie(COOKIE, default="")
    return user if user in PEOPLE else ""
