"""Where the sandbox keeps its state between runs: one table of kind, key and JSON.

The server works in memory and writes through, so this needs to be simple rather than clever. It uses the standard
library alone, because Patchbay reads the development client from it without starting the server.
"""

import json
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

DEVELOPMENT = "development"


class Store:
    """A key/value file. Losing the last writes in a power cut is fine for a sandbox, so SQLite may skip its fsync."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=off")
        self._db.execute("create table if not exists record (kind text, key text, json text, primary key (kind, key))")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._db.close()

    def all(self, kind: str) -> Iterator[tuple[str, Any]]:
        for key, text in self._db.execute("select key, json from record where kind = ? order by rowid", [kind]):
            yield key, json.loads(text)

    def get(self, kind: str, key: str) -> Any:
        row = self._db.execute("select json from record where kind = ? and key = ?", [kind, key]).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, kind: str, key: str, value: Any) -> None:
        self._db.execute(
            "insert into record values (?, ?, ?) on conflict (kind, key) do update set json = excluded.json",
            [kind, key, json.dumps(value)],
        )

    def put_many(self, kind: str, values: dict[str, Any]) -> None:
        self._db.execute("begin")
        for key, value in values.items():
            self.put(kind, key, value)
        self._db.execute("commit")

    def delete(self, kind: str, key: str) -> None:
        self._db.execute("delete from record where kind = ? and key = ?", [kind, key])

    def clear(self, kinds: list[str]) -> None:
        self._db.executemany("delete from record where kind = ?", [[kind] for kind in kinds])

    def get_or_create(self, kind: str, key: str, value: Any) -> Any:
        """Return what is stored; store `value` first when nothing is. Safe while another process does the same."""
        self._db.execute("insert or ignore into record values (?, ?, ?)", [kind, key, json.dumps(value)])
        return self.get(kind, key)

    def development_client(self) -> dict[str, Any]:
        """Return the client behind the development keys, creating it the first time. A reset keeps it."""
        new = {"client_id": f"sandbox-{secrets.token_hex(12)}", "secret": f"SANDBOX{secrets.token_urlsafe(40)}"}
        found: dict[str, Any] = self.get_or_create("meta", DEVELOPMENT, new)
        return found

    def signing_key(self) -> str:
        """Return the key that signs tokens. It is stored, so tokens survive a restart."""
        return str(self.get_or_create("meta", "signing_key", secrets.token_hex(32)))
