from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0039_call_route")]

    operations = [
        migrations.AddField("call", "code", models.CharField(blank=True, default="", max_length=40), preserve_default=False)
    ]
