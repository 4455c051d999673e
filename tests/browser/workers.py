"""A worker beside the browser tests' server, on the same rows: it does what Celery and the sweeper do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from integrations import listening, webhooks
from integrations.models import Delivery, Event, Subscription
from workflows import dispatch, engine
from workflows.models import Run


@contextmanager
def working() -> Iterator[None]:
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.03):
            for pk in list(Subscription.objects.due().values_list("pk", flat=True)):
                listening.tend(pk)
            for pk in list(Delivery.objects.waiting().values_list("pk", flat=True)):
                webhooks.handle(pk)
            for pk in list(Event.objects.undelivered().values_list("pk", flat=True)):
                dispatch.dispatch(pk)
            for pk in list(Run.objects.due().values_list("pk", flat=True)):
                engine.advance(pk)
        connections.close_all()

    thread = threading.Thread(target=work, name="worker")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
