from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Who is connected to what, and how to talk to it."""

    name = "integrations"

    def ready(self) -> None:
        from allauth.account.signals import password_reset, user_logged_in
        from allauth.mfa.models import Authenticator
        from allauth.mfa.signals import authenticator_added
        from django.contrib.auth.signals import user_login_failed
        from django.db.models.signals import post_delete, post_save

        from integrations import checks  # noqa: F401  (registers the system checks)
        from integrations.api import openapi as management
        from integrations.dashboard import second_factor, sessions
        from integrations.remember import forget_everything
        from integrations.sdk.openapi import describe

        describe(management.paths, management.SCHEMAS, management.TAGS)
        # What this process changes it also forgets; other processes follow within seconds.
        for name in ("Project", "SigningKey", "Integration", "Connection"):
            for signal in (post_save, post_delete):
                signal.connect(lambda **_: forget_everything(), sender=self.get_model(name), weak=False)

        user = self.get_model("User")
        authenticator_added.connect(second_factor.on_added, sender=Authenticator)
        post_delete.connect(second_factor.on_deleted, sender=Authenticator)
        user_logged_in.connect(sessions.on_signed_in)
        user_login_failed.connect(sessions.on_refused)
        post_save.connect(sessions.on_user_saved, sender=user)
        # The link of a reset was mailed, or printed by whoever runs the server.
        password_reset.connect(lambda user, **_: user.prove_email(), weak=False)
