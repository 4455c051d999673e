"""Run the tests on real services: all of them on PostgreSQL with RabbitMQ, then those marked `services` with Redis.

Addresses come from TEST_POSTGRES_URL, TEST_RABBITMQ_URL and TEST_REDIS_URL. A service that is not there is named and
left out; with CI set that is a failure.
"""

import os
import socket
import subprocess
import sys
from urllib.parse import urlsplit

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://root@127.0.0.1:5432/test")
RABBITMQ = os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/5")
PORTS = {"postgres": 5432, "postgresql": 5432, "amqp": 5672, "redis": 6379}
NO_TESTS_FOUND = 5


def is_there(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or PORTS[parts.scheme]), timeout=3).close()
    except OSError:
        return False
    return True


def shown(url: str) -> str:
    """Return the address without its password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or PORTS[parts.scheme]}{parts.path}"


def run(title: str, marks: str, env: dict[str, str], arguments: list[str]) -> int:
    print(f"\n== {title}", flush=True)
    command = [sys.executable, "-m", "pytest", "-m", marks, *arguments]
    return subprocess.run(command, env=os.environ | env).returncode


def main(arguments: list[str]) -> int:
    absent = [url for url in (POSTGRES, RABBITMQ, REDIS) if not is_there(url)]
    for url in absent:
        print(f"Nothing answers at {shown(url)}: what needs it does not run.")
    codes = [1] if absent and os.environ.get("CI") else []
    if POSTGRES not in absent:
        env = {"TEST_DATABASE_URL": POSTGRES}
        if RABBITMQ not in absent:
            marks = "not faults and not browser"
            codes.append(run("PostgreSQL and RabbitMQ", marks, env | {"TEST_BROKER_URL": RABBITMQ}, arguments))
        else:
            codes.append(run("PostgreSQL", "not faults and not browser and not services", env, arguments))
        if REDIS not in absent:
            codes.append(run("PostgreSQL and Redis", "services", env | {"TEST_BROKER_URL": REDIS}, arguments))
    return max((code for code in codes if code != NO_TESTS_FOUND), default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
