from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0079_sitewebhook_refused_at")]

    operations = [migrations.AlterField("auditentry", "actor_name", models.CharField(max_length=300))]
