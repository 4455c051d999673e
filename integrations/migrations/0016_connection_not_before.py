from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0015_cache_table'),
    ]

    operations = [
        migrations.AddField(
            model_name='connection',
            name='not_before',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
