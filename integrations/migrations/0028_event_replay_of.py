import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0027_event_delivery'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='replay_of',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replays', to='integrations.event'),
        ),
    ]
