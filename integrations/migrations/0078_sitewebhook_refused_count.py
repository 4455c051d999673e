from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0077_erasure")]

    operations = [migrations.AddField("sitewebhook", "refused_count", models.PositiveBigIntegerField(default=0, editable=False))]
