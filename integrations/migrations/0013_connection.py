import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0012_grant'),
    ]

    operations = [
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connections', to='integrations.project')),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connections', to='integrations.integration')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connections', to='integrations.connecteduser')),
                ('grant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='connections', to='integrations.grant')),
                ('site_id', models.CharField(blank=True, max_length=200)),
                ('site_name', models.CharField(blank=True, max_length=200)),
                ('site_url', models.CharField(blank=True, max_length=300)),
                ('external_id', models.CharField(blank=True, max_length=200)),
                ('status', models.CharField(choices=[('active', 'Connected'), ('needs_reconnect', 'Needs reconnect')], default='active', max_length=20)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('settings', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'ordering': ['created_at', 'id'],
                'indexes': [models.Index(fields=['integration', '-created_at', 'id'], name='connections_by_age')],
                'constraints': [models.UniqueConstraint(fields=('user', 'integration', 'grant', 'site_id'), name='one_connection_an_account_and_site')],
            },
        ),
    ]
