"""Real processes for tests: start one, wait until it answers, end it."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, str(ROOT / "manage.py")]
START_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_url() -> str:
    """Return the address of this run's own test database, for a process that shall see its rows."""
    from django.db import connection

    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    return (
        f"postgres://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    )


@contextmanager
def running(
    command: list[str], *, env: Mapping[str, str] | None = None, answers: str = ""
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a process for the block, ready once the address in `answers` does. Fails with the end of its output."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | dict(env or {}), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            if answers and not _wait_for(answers, process):
                output.seek(0)
                said = output.read().decode(errors="replace")[-2000:]
                raise AssertionError(f"{' '.join(command)} did not answer at {answers}:\n{said}")
            yield process
        finally:
            end(process)


def granian(
    port: int, *, env: Mapping[str, str] | None = None, workers: int = 1
) -> "AbstractContextManager[subprocess.Popen[bytes]]":
    """Serve Patchbay as in production, on the test's own rows; for tests that use `transactional_db`."""
    options = f"--host 127.0.0.1 --port {port} --workers {workers} --blocking-threads 8 --no-ws".split()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "config.wsgi:application", *options]
    url = f"http://localhost:{port}"
    own = {"DJANGO_SETTINGS_MODULE": "config.settings", "PUBLIC_URL": url, "DATABASE_URL": database_url()}
    return running(command, env=own | dict(env or {}), answers=f"{url}/healthz")


def wait_for_line(file: Path, text: str, *, seconds: float) -> str:
    """Return what a process wrote to this file, once the text is in it."""
    deadline = time.monotonic() + seconds
    while text not in (said := file.read_text(errors="replace")):
        assert time.monotonic() < deadline, f"“{text}” was not said within {seconds} seconds, but:\n{said}"
        time.sleep(0.1)
    return said


def end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(url, timeout=2).close()
        except HTTPError:
            return True
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False
