"""Who holds a lease: for people who look at it, and so that nobody takes another's for their own."""

import os
import secrets
import socket
import threading


def owner_name() -> str:
    """Return a name that is new each time, of 80 characters at most."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{threading.get_ident()}:{secrets.token_hex(4)}"
