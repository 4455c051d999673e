import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0011_connected_user'),
    ]

    operations = [
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='grants', to='integrations.project')),
                ('app', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='integrations.oauthapp')),
                ('account_id', models.CharField(max_length=200)),
                ('account_name', models.CharField(blank=True, max_length=200)),
                ('account_email', models.CharField(blank=True, max_length=254)),
                ('scopes', models.JSONField(default=list)),
                ('access_token_sealed', models.TextField(blank=True, editable=False)),
                ('refresh_token_sealed', models.TextField(blank=True, editable=False)),
                ('sibling_token_sealed', models.TextField(blank=True, editable=False)),
                ('expires_at', models.DateTimeField(null=True)),
                ('version', models.PositiveBigIntegerField(default=1)),
                ('lease_owner', models.CharField(blank=True, editable=False, max_length=80)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('refresh_started_at', models.DateTimeField(editable=False, null=True)),
                ('not_before', models.DateTimeField(editable=False, null=True)),
                ('failures', models.PositiveIntegerField(default=0, editable=False)),
                ('status', models.CharField(choices=[('active', 'Active'), ('needs_reconnect', 'Needs reconnect')], default='active', max_length=20)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('refreshed_at', models.DateTimeField(null=True)),
                ('consented_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['-created_at', 'id'],
                'indexes': [models.Index(condition=models.Q(('refresh_started_at__isnull', False)), fields=['lease_until'], name='half_refreshed_grants'), models.Index(fields=['status', 'refreshed_at'], name='idle_grants')],
                'constraints': [models.UniqueConstraint(fields=('app', 'project', 'account_id'), name='one_grant_an_account')],
            },
        ),
    ]
