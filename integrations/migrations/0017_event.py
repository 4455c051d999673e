import django.db.models.deletion
import integrations.models.base
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0016_connection_not_before'),
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.UUIDField(default=integrations.models.base.time_ordered_uuid, editable=False, primary_key=True, serialize=False)),
                ('sub', models.CharField(blank=True, max_length=255, verbose_name='user ID')),
                ('source', models.CharField(choices=[('app', 'App event'), ('connected', 'Integration enabled'), ('schedule', 'Schedule')], max_length=12)),
                ('name', models.CharField(blank=True, max_length=120)),
                ('payload', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('received', 'Received'), ('dispatched', 'Dispatched'), ('ignored', 'Ignored'), ('failed', 'Failed')], default='received', max_length=12)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='events', to='integrations.connection')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='integrations.project')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['project', '-id'], name='events_by_age'), models.Index(condition=models.Q(('state', 'received')), fields=['id'], name='events_undelivered'), models.Index(fields=['created_at'], name='events_to_prune')],
            },
        ),
    ]
