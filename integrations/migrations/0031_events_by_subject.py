from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0030_event_sources'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('subject', ''), _negated=True), fields=['connection', 'subject', '-happened_at'], name='events_by_subject'),
        ),
    ]
