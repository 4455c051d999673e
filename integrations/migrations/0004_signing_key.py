import django.db.models.deletion
import integrations.models.project
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0003_member'),
    ]

    operations = [
        migrations.CreateModel(
            name='SigningKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='signing_keys', to='integrations.project')),
                ('name', models.CharField(default='Signing key', max_length=80)),
                ('kid', models.CharField(default=integrations.models.project.new_key_id, editable=False, max_length=40, unique=True, verbose_name='key id')),
                ('public_pem', models.TextField(editable=False, verbose_name='public key')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ('revoked_at', models.DateTimeField(blank=True, editable=False, null=True)),
            ],
            options={
                'ordering': ['-created_at', 'id'],
            },
        ),
    ]
