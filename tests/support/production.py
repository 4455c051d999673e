"""Run a command as a well set-up production would: `python -m tests.support.production manage.py check --deploy`."""

import os
import subprocess
import sys
import tempfile

ENVIRONMENT = {
    "PUBLIC_URL": "https://patchbay.example.com",
    "SECRET_KEY": "o7ZkqXw1f9Tt3Jm5c8Vb2Ns4Yr6Hd0Lp-Ga_EuQiKzWxRvMnBj",
    "VAULT_KEYS": "k1:ZXZlcnkgcHJvZHVjdGlvbiBtYWtlcyBpdHMgb3duISE",
    "DATABASE_URL": "postgres://patchbay:secret@db.example.com:5432/patchbay",
    "CELERY_BROKER_URL": "amqps://patchbay:secret@mq.example.com:5671//",
    "EMAIL_URL": "smtp+tls://patchbay:secret@mail.example.com:587",
    "BEHIND_PROXY": "true",
}
INHERITED = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")


def environment(var_dir: str, **changes: str) -> dict[str, str]:
    """Return the environment with changes; "" leaves a setting out."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    wanted = inherited | ENVIRONMENT | {"VAR_DIR": var_dir} | changes
    return {name: value for name, value in wanted.items() if value}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as var_dir:
        sys.exit(subprocess.run([sys.executable, *sys.argv[1:]], env=environment(var_dir)).returncode)
