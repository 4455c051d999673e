import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0001_user'),
    ]

    operations = [
        migrations.CreateModel(
            name='Project',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('kind', models.CharField(choices=[('development', 'Development'), ('production', 'Production')], default='development', max_length=12)),
                ('allowed_origins', models.JSONField(blank=True, default=list)),
                ('allow_loopback_origins', models.BooleanField(default=False)),
                ('return_urls', models.JSONField(blank=True, default=list)),
                ('accept_tokens_without_audience', models.BooleanField(default=False)),
                ('connect_without_claim', models.BooleanField(default=False)),
                ('call_log_days', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['name', 'id'],
            },
        ),
    ]
