from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0024_event_key'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='subject',
            field=models.CharField(blank=True, max_length=120),
        ),
    ]
