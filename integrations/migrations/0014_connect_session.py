import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0013_connection'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConnectSession',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connect_sessions', to='integrations.project')),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connect_sessions', to='integrations.integration')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connect_sessions', to='integrations.connecteduser')),
                ('app', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='connect_sessions', to='integrations.oauthapp')),
                ('protocol', models.CharField(choices=[('paragon', 'Paragon SDK'), ('patchbay', 'Patchbay SDK')], max_length=10)),
                ('status', models.CharField(choices=[('open', 'Started'), ('returned', 'Consented, to be claimed'), ('claimed', 'Connected'), ('failed', 'Failed')], default='open', max_length=10)),
                ('key', models.CharField(blank=True, max_length=64)),
                ('opener_origin', models.CharField(blank=True, max_length=300)),
                ('return_url', models.CharField(blank=True, max_length=500)),
                ('start_hash', models.CharField(blank=True, max_length=64)),
                ('nonce_hash', models.CharField(blank=True, max_length=64)),
                ('state_hash', models.CharField(blank=True, db_index=True, max_length=64)),
                ('claim_hash', models.CharField(blank=True, max_length=64)),
                ('reconnects', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='integrations.connection')),
                ('allow_multiple', models.BooleanField(default=False)),
                ('external_id', models.CharField(blank=True, max_length=200)),
                ('tokens_sealed', models.TextField(blank=True, editable=False)),
                ('account', models.JSONField(default=dict)),
                ('sites', models.JSONField(default=list)),
                ('site_id', models.CharField(blank=True, max_length=200)),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sessions', to='integrations.connection')),
                ('error_code', models.CharField(blank=True, max_length=60)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('polled_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-created_at', 'id'],
                'indexes': [models.Index(fields=['user', 'integration', '-created_at'], name='newest_sessions'), models.Index(fields=['expires_at'], name='sessions_by_expiry')],
            },
        ),
    ]
