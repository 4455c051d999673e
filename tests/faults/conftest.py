"""The same people as in tests/integrations."""

from tests.integrations.conftest import alice, jira, window_of

__all__ = ["alice", "jira", "window_of"]
