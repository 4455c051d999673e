from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0052_mark_audit_entries")]

    operations = [
        migrations.AddIndex("auditentry", models.Index(fields=["project", "action", "-at", "-id"], name="audit_by_action"))
    ]
