from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0070_redirected_calls")]

    operations = [migrations.AddField("project", "deleted_at", models.DateTimeField(editable=False, null=True))]
