from typing import Any

from django.db import DatabaseError, migrations, transaction

ADD = """
    CREATE INDEX users_by_words ON integrations_connecteduser USING gin (words gin_trgm_ops)
"""


def add(apps: Any, schema_editor: Any) -> None:
    """Index the search for users, where the database has trigrams; where it has not, searching takes a while longer."""
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        try:
            with transaction.atomic():
                cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError:
            return  # Not installed, or not this role's to add: docs/deployment.md says how to add both later.
        cursor.execute(ADD)


def remove(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS users_by_words")


class Migration(migrations.Migration):
    dependencies = [("integrations", "0067_connecteduser_words")]

    operations = [migrations.RunPython(add, remove)]
