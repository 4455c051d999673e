import django.db.models.deletion
import integrations.models.integration
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0008_heartbeat'),
    ]

    operations = [
        migrations.CreateModel(
            name='OAuthApp',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('project', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='oauth_apps', to='integrations.project')),
                ('provider', models.SlugField(max_length=40)),
                ('name', models.CharField(blank=True, max_length=80)),
                ('client_id', models.CharField(blank=True, max_length=200, verbose_name='client ID')),
                ('client_secret_sealed', models.TextField(blank=True, editable=False)),
                ('previous_secret_sealed', models.TextField(blank=True, editable=False)),
                ('secret_set_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('secret_fingerprint', models.CharField(blank=True, editable=False, max_length=12)),
                ('scopes', models.JSONField(blank=True, default=list)),
                ('webhook_token', models.CharField(default=integrations.models.integration.new_webhook_token, editable=False, max_length=60, unique=True)),
                ('refused_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('refused_reason', models.CharField(blank=True, editable=False, max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'OAuth app',
                'ordering': ['created_at', 'id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('project', None)), fields=('provider', 'client_id'), name='one_development_app_a_client_id')],
            },
        ),
    ]
