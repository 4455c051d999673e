"""What an API key may be allowed to do. Each scope needs the role that does the same in the dashboard."""

from dataclasses import dataclass

from integrations.models import Member, Project

Role = Member.Role


@dataclass(frozen=True)
class KeyScope:
    """`allows` completes “It may look up …” for a scope that only reads, else “It may …”.

    `needs` is the least role that may give it away, and `example` an address below the project's to try a key with.
    """

    name: str
    allows: str
    needs: Member.Role
    example: str = ""

    @property
    def only_reads(self) -> bool:
        return self.name.endswith(":read")


# Other applications add theirs while they load.
SCOPES = [
    KeyScope("users:read", "connected users, their metadata and their connections", Role.SUPPORT, "users?limit=5"),
    KeyScope("users:write", "change users’ metadata, disable and enable users", Role.DEVELOPER),
    KeyScope("users:export", "download all that is kept about a user, payloads too", Role.ADMIN),
    KeyScope("users:delete", "delete users with everything of theirs", Role.ADMIN),
    KeyScope("connections:read", "connections: account, site, state, settings", Role.SUPPORT, "connections?limit=5"),
    KeyScope("connections:write", "disconnect users", Role.DEVELOPER),
    KeyScope("calls:read", "the log of forwarded calls", Role.SUPPORT, "calls?limit=5"),
    KeyScope("audit:read", "the audit log", Role.SUPPORT, "audit-log?limit=5"),
]


def scopes_for(project: Project) -> list[KeyScope]:
    """Return what whoever asks may give to a key: nothing that they may not do themselves."""
    return [scope for scope in SCOPES if project.role.covers(scope.needs)]
