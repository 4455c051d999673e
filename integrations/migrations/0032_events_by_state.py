from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0031_events_by_subject'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['project', 'state', '-id'], name='events_by_state'),
        ),
    ]
