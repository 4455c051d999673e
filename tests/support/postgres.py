"""A PostgreSQL server of a test's own, which may be killed and restarted without harm to anybody else's."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import free_port

ADVICE = "PostgreSQL's own programs (initdb, pg_ctl) are not here, so its restart under load is not tested."
# Nobody loses power in a test. What is committed must outlive the server's own crash, though.
QUICK = "-c fsync=off -c synchronous_commit=on -c full_page_writes=off -c max_connections=200"


def program(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


def is_installed() -> bool:
    return program("initdb") is not None and program("pg_ctl") is not None


def as_user() -> list[str]:
    """Return what runs a program as somebody whom PostgreSQL accepts: it refuses root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@dataclass
class Server:
    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def control(self, *arguments: str) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 {QUICK}"
        command = [*as_user(), str(program("pg_ctl")), "-D", str(self.folder / "data"), "-w", "-o", options]
        with (self.folder / "log").open("ab") as log:
            subprocess.run([*command, *arguments], check=True, stdout=log, stderr=log, timeout=60)

    def restart(self) -> None:
        """End every process of the server at once, as a crash would, and start it again."""
        self.control("restart", "-m", "immediate")


@contextmanager
def serving() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="patchbay-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    server = Server(folder, free_port())
    initdb = [*as_user(), str(program("initdb")), "-D", str(folder / "data"), "-A", "trust", "-U", "postgres", "-N"]
    subprocess.run(initdb, check=True, capture_output=True, timeout=120)
    server.control("start")
    try:
        yield server
    finally:
        server.control("stop", "-m", "immediate")
        time.sleep(0.2)
        shutil.rmtree(folder, ignore_errors=True)
