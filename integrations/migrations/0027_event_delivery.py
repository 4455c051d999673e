import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0026_event_happened_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='delivery',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='events', to='integrations.delivery'),
        ),
    ]
