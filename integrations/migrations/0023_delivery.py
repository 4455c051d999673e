import django.db.models.deletion
import integrations.models.base
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0022_site_webhook'),
    ]

    operations = [
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.UUIDField(default=integrations.models.base.time_ordered_uuid, editable=False, primary_key=True, serialize=False)),
                ('app', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='integrations.oauthapp')),
                ('site_webhook', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='integrations.sitewebhook')),
                ('provider_slug', models.SlugField(max_length=40)),
                ('key', models.CharField(max_length=64, unique=True)),
                ('site', models.CharField(blank=True, max_length=300)),
                ('body', models.TextField()),
                ('repetition', models.PositiveSmallIntegerField(default=0)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('handled', 'Handled')], default='waiting', max_length=10)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['id'], name='deliveries_waiting'), models.Index(fields=['created_at'], name='deliveries_to_prune')],
            },
        ),
    ]
