import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0020_subscription'),
    ]

    operations = [
        migrations.CreateModel(
            name='Registration',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='registrations', to='integrations.connection')),
                ('app', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='registrations', to='integrations.oauthapp')),
                ('site', models.CharField(max_length=300)),
                ('feed', models.SlugField(max_length=40)),
                ('provider_id', models.CharField(blank=True, max_length=100)),
                ('events', models.JSONField(default=list)),
                ('filter', models.TextField(blank=True)),
                ('instead_of', models.TextField(blank=True)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('verified_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['created_at', 'id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('provider_id', ''), _negated=True), fields=('app', 'site', 'provider_id'), name='one_registration_an_id_at_a_site')],
            },
        ),
    ]
