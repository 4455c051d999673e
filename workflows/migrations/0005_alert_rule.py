import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows', '0004_run'),
    ]

    operations = [
        migrations.CreateModel(
            name='AlertRule',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('emails', models.JSONField(blank=True, default=list)),
                ('webhook_url', models.CharField(blank=True, max_length=500, verbose_name='webhook address')),
                ('webhook_secret_sealed', models.TextField(blank=True, editable=False)),
                ('due_at', models.DateTimeField(editable=False, null=True)),
                ('sent_at', models.DateTimeField(editable=False, null=True)),
                ('last_error', models.CharField(blank=True, editable=False, max_length=300)),
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='alert_rule', to='integrations.project')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='alerts_due')],
            },
        ),
    ]
