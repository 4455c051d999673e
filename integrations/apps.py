from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Who is connected to what, and how to talk to it."""

    name = "integrations"

    def ready(self) -> None:
        from django.db.models.signals import post_delete, post_save

        from integrations import checks  # noqa: F401  (registers the system checks)
        from integrations.remember import forget_everything

        # What this process changes it also forgets; other processes follow within seconds.
        for name in ("Project", "SigningKey", "Integration", "Connection"):
            for signal in (post_save, post_delete):
                signal.connect(lambda **_: forget_everything(), sender=self.get_model(name), weak=False)
