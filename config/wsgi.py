import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from integrations import vault  # noqa: E402 (needs the applications loaded)

try:
    vault.verify()
except vault.VaultError as error:
    # Serving with a wrong key ring would mix secrets of two rings in one database.
    raise SystemExit(f"Patchbay cannot start: {error}") from None
