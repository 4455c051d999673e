from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0071_project_deleted_at")]

    operations = [migrations.AddField("integration", "removed_at", models.DateTimeField(editable=False, null=True))]
