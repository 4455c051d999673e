from django.core.mail.backends.locmem import EmailBackend

__all__ = ["EmailBackend"]  # Its module path has "smtp" in it, which is how the code tells that mail is configured.
