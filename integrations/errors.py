"""What can go wrong when we talk to a provider, sorted by what to do next."""

from collections.abc import Mapping


class ProviderError(Exception):
    """`was_sent` tells an effect's outcome: False = surely not done, True = refused after sending, None = unknown.

    `fields` says what is wrong with single inputs, where the provider told.
    """

    fields: Mapping[str, str] = {}

    def __init__(self, message: str, *, was_sent: bool | None = False) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class TemporaryError(ProviderError):
    """Try again, after `retry_after` seconds where the provider named a time."""

    def __init__(self, message: str, *, retry_after: float | None = None, was_sent: bool | None = False) -> None:
        super().__init__(message, was_sent=was_sent)
        self.retry_after = retry_after


class DeadlineError(TemporaryError):
    """The whole exchange took longer than its deadline."""


class NeedsReconnect(ProviderError):
    """Only the end user can help: the consent is gone. The message is the reason, in words for them."""


class WrongKeys(ProviderError):
    """The provider refuses our client ID or secret: the integration developer's to mend, never the end user's."""


class RateLimited(TemporaryError):
    """The provider asks for patience. Nothing was done, and no attempt counts."""


class PermanentError(ProviderError):
    """Stop and show why: the same request would fail again."""

    def __init__(
        self, message: str, *, was_sent: bool | None = False, fields: Mapping[str, str] | None = None, status: int = 0
    ) -> None:
        super().__init__(message, was_sent=was_sent)
        self.fields = dict(fields or {})
        self.status = status
