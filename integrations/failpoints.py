"""Named places where a test may end or hold a process, to prove what survives. Without FAILPOINT set they do nothing.

FAILPOINT="refresh.answered=kill" ends the process as `kill -9` would; "…=sleep:3" holds it for three seconds.
"""

import os
import signal
import time

FAILPOINTS = [
    *("connect.before_exchange", "connect.exchanged", "refresh.claimed", "refresh.answered", "refresh.storing"),
    *("run.claimed", "run.intended", "run.effected", "run.stored", "run.ended"),
    *("webhook.before_commit", "webhook.committed", "register.before", "register.done"),
]
_name, _, _action = os.environ.get("FAILPOINT", "").partition("=")


def failpoint(name: str) -> None:
    if name != _name:
        return
    if _action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    kind, _, seconds = _action.partition(":")
    if kind == "sleep":
        time.sleep(float(seconds))
