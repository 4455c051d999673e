from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0035_events_of_a_user'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['connection', '-id'], name='events_of_a_connection'),
        ),
    ]
