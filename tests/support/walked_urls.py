"""Patchbay's addresses, and one whose view is broken."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.urls import urlpatterns as every_address


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("This view is broken on purpose.")


urlpatterns = [*every_address, path("broken", broken)]
