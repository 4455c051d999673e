from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0034_events_by_name'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['project', 'sub', '-id'], name='events_of_a_user'),
        ),
    ]
