from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0032_events_by_state'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['project', 'source', '-id'], name='events_by_source'),
        ),
    ]
