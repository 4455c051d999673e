import django.db.models.deletion
import integrations.models.integration
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0021_registration'),
    ]

    operations = [
        migrations.CreateModel(
            name='SiteWebhook',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='site_webhooks', to='integrations.project')),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='site_webhooks', to='integrations.connection')),
                ('feed', models.SlugField(max_length=40)),
                ('token', models.CharField(default=integrations.models.integration.new_webhook_token, editable=False, max_length=60, unique=True)),
                ('secret_sealed', models.TextField(editable=False)),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['created_at', 'id'],
                'constraints': [models.UniqueConstraint(fields=('connection', 'feed'), name='one_site_webhook_a_feed')],
            },
        ),
    ]
