import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0019_refused_deliveries'),
    ]

    operations = [
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='subscriptions', to='integrations.project')),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='subscriptions', to='integrations.connection')),
                ('feed', models.SlugField(max_length=40)),
                ('triggers', models.JSONField(default=dict)),
                ('way', models.CharField(blank=True, choices=[('', 'Not heard'), ('webhook', 'At once, by webhook'), ('hand', 'At once, by a webhook made by hand'), ('poll', 'By polling')], default='', max_length=10)),
                ('words', models.CharField(blank=True, max_length=500)),
                ('error', models.CharField(blank=True, max_length=500)),
                ('error_at', models.DateTimeField(blank=True, null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('asked', models.PositiveIntegerField(default=0)),
                ('due_at', models.DateTimeField(null=True)),
                ('lease_owner', models.CharField(blank=True, editable=False, max_length=80)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('heard_until', models.DateTimeField(blank=True, null=True)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('every_seconds', models.FloatField(default=60)),
                ('cursor', models.JSONField(default=dict, editable=False)),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
                ('found_at', models.DateTimeField(blank=True, null=True)),
                ('gap_from', models.DateTimeField(blank=True, null=True)),
                ('gap_until', models.DateTimeField(blank=True, null=True)),
                ('gap_events', models.PositiveIntegerField(default=0)),
                ('gap_reason', models.CharField(blank=True, max_length=200)),
                ('alerted_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['created_at', 'id'],
                'indexes': [models.Index(fields=['due_at'], name='subscriptions_due')],
                'constraints': [models.UniqueConstraint(fields=('connection', 'feed'), name='one_subscription_a_feed')],
            },
        ),
    ]
