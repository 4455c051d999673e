from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0028_event_replay_of'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='due_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
