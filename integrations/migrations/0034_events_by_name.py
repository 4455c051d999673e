from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0033_events_by_source'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['project', 'name', '-id'], name='events_by_name'),
        ),
    ]
