import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0061_signing_key_expires_at")]

    operations = [
        migrations.AddField(
            "signingkey",
            "replaced_by",
            models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="integrations.signingkey",
            ),
        )
    ]
