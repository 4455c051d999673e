from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0068_trigrams")]

    operations = [
        migrations.AddIndex("connection", models.Index(fields=["integration", "user"], name="users_of_an_integration"))
    ]
