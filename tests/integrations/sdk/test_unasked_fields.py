"""What a body holds beside what was asked for changes nothing."""

from collections.abc import Callable

from integrations.models import ConnectedUser, Connection
from tests.integrations.sdk.conftest import Person

UNASKED = {"projectId": "1", "personaId": "2", "status": "INVALID", "providerId": "3", "externalId": "4", "id": "5"}


def test_a_connections_settings_are_all_that_can_be_set(alice: Person, connect: Callable[..., Connection]) -> None:
    connection = connect("alice", external_id="work")
    before = alice.get(f"sdk/credentials/{connection.pk}").json()

    alice.call("PATCH", f"sdk/credentials/{connection.pk}", {"config": {"sharedSettings": {"a": "b"}}, **UNASKED})

    after = alice.get(f"sdk/credentials/{connection.pk}").json()
    assert {key: after[key] for key in UNASKED if key in after} == {
        key: before[key] for key in UNASKED if key in before
    }


def test_metadata_is_all_that_can_be_set_of_a_user(alice: Person) -> None:
    alice.call("PATCH", "sdk/me", {"meta": {"name": "Alice"}, "userId": "mallory", "disabled_at": None, "sub": "bob"})

    user = ConnectedUser.objects.get()
    assert (user.sub, user.meta) == ("alice", {"name": "Alice"})
