from django.db import migrations, models
from django.db.models.fields.json import KT
from django.db.models.functions import Concat, Lower


class Migration(migrations.Migration):
    dependencies = [("integrations", "0066_run_log_days")]

    operations = [
        migrations.AddField(
            "connecteduser",
            "words",
            models.GeneratedField(
                expression=Lower(
                    Concat(
                        "sub",
                        models.Value(" "),
                        KT("meta__Name"),
                        models.Value(" "),
                        KT("meta__Email"),
                        models.Value(" "),
                        KT("meta__name"),
                        models.Value(" "),
                        KT("meta__email"),
                        output_field=models.TextField(),
                    )
                ),
                output_field=models.TextField(),
                db_persist=True,
            ),
        )
    ]
