from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0053_audit_by_action")]

    operations = [
        migrations.AddIndex("auditentry", models.Index(fields=["project", "actor_name", "-at", "-id"], name="audit_by_actor"))
    ]
