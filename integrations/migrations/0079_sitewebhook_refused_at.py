from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0078_sitewebhook_refused_count")]

    operations = [migrations.AddField("sitewebhook", "refused_at", models.DateTimeField(editable=False, null=True))]
