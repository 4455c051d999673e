from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0025_event_subject'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='happened_at',
            field=models.DateTimeField(null=True),
        ),
    ]
