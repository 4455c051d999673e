"""A listener of supervisord: when a process was killed, end the children that it left behind.

A server's workers outlive a master that was killed; they would keep its port and go on serving old code beside the
workers of the next master. supervisord gives each process a group of its own, named after its process id.
"""

import os
import signal
from contextlib import suppress

from supervisor.childutils import get_headers, listener


def main() -> None:
    while True:
        _, payload = listener.wait()
        with suppress(ProcessLookupError):
            os.killpg(int(get_headers(payload)["pid"]), signal.SIGKILL)
        listener.ok()


if __name__ == "__main__":
    main()
