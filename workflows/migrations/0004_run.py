import django.db.models.deletion
import integrations.models.base
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows', '0003_workflow_deployed'),
    ]

    operations = [
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.UUIDField(default=integrations.models.base.time_ordered_uuid, editable=False, primary_key=True, serialize=False)),
                ('sub', models.CharField(blank=True, max_length=255, verbose_name='user ID')),
                ('trigger', models.CharField(max_length=20)),
                ('payload', models.JSONField(default=dict)),
                ('settings', models.JSONField(default=dict)),
                ('is_test', models.BooleanField(default=False)),
                ('only_step', models.CharField(blank=True, max_length=60)),
                ('order_key', models.CharField(blank=True, max_length=200)),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('waiting', 'Waiting'), ('needs_reconnect', 'Needs reconnect'), ('done', 'Done'), ('failed', 'Failed'), ('uncertain', 'Uncertain'), ('cancelled', 'Cancelled'), ('dead', 'Given up')], default='queued', max_length=16)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('response', models.JSONField(null=True)),
                ('wake_at', models.DateTimeField(default=None, null=True)),
                ('lease_owner', models.CharField(blank=True, editable=False, max_length=80)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('generation', models.PositiveIntegerField(default=0, editable=False)),
                ('claims_without_progress', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('is_held', models.BooleanField(default=False, editable=False)),
                ('cancel_requested_at', models.DateTimeField(editable=False, null=True)),
                ('alerted_at', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('connection', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='runs', to='integrations.connection')),
                ('event', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='runs', to='integrations.event')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='integrations.project')),
                ('replay_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replays', to='workflows.run')),
                ('workflow', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='workflows.workflow')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name='runs', to='workflows.workflowversion')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['project', '-id'], name='runs_by_age'), models.Index(fields=['project', 'status', '-id'], name='runs_by_status'), models.Index(fields=['workflow', '-id'], name='runs_of_a_workflow'), models.Index(fields=['project', 'sub', '-id'], name='runs_of_a_user'), models.Index(condition=models.Q(('status__in', ['queued', 'running', 'waiting'])), fields=['wake_at'], name='runs_due'), models.Index(condition=models.Q(('status__in', ['queued', 'running', 'waiting'])), fields=['connection', 'wake_at'], name='runs_due_of_a_connection'), models.Index(condition=models.Q(('lease_until__isnull', False)), fields=['project', 'lease_until'], name='runs_leased'), models.Index(condition=models.Q(('status__in', ['queued', 'running', 'waiting', 'needs_reconnect']), models.Q(('order_key', ''), _negated=True)), fields=['workflow', 'order_key', 'id'], name='runs_in_order'), models.Index(condition=models.Q(('is_held', True)), fields=['project', 'connection', 'id'], name='runs_held'), models.Index(condition=models.Q(('reason', ''), _negated=True), fields=['project', '-id'], name='runs_with_a_reason'), models.Index(fields=['created_at'], name='runs_to_prune')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('replay_of', None)), fields=('event', 'workflow', 'connection'), name='one_run_an_event_and_connection')],
            },
        ),
    ]
