"""Entry point of the sandbox server."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
