from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0036_events_of_a_connection'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='event',
            constraint=models.UniqueConstraint(condition=models.Q(('key', ''), _negated=True), fields=('connection', 'key'), name='one_event_a_key'),
        ),
    ]
