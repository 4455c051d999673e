import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0017_event'),
    ]

    operations = [
        migrations.CreateModel(
            name='Workflow',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('description', models.CharField(blank=True, max_length=500)),
                ('draft', models.JSONField(default=dict)),
                ('revision', models.PositiveIntegerField(default=1)),
                ('trigger_type', models.CharField(blank=True, editable=False, max_length=20)),
                ('trigger_name', models.CharField(blank=True, editable=False, max_length=120)),
                ('next_fire_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('is_paused', models.BooleanField(default=False, verbose_name='paused')),
                ('is_default_on', models.BooleanField(default=False, verbose_name='on by default')),
                ('is_hidden', models.BooleanField(default=False, verbose_name='hidden in the portal')),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('samples', models.JSONField(default=dict, editable=False)),
                ('action_slug', models.CharField(blank=True, editable=False, max_length=80)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='workflows', to='integrations.integration')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='workflows', to='integrations.project')),
            ],
            options={
                'ordering': ['position', 'created_at', 'id'],
                'indexes': [models.Index(fields=['project', 'trigger_type', 'trigger_name'], name='workflows_by_trigger'), models.Index(condition=models.Q(('next_fire_at__isnull', False)), fields=['next_fire_at'], name='workflows_by_schedule')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('action_slug', ''), _negated=True), fields=('integration', 'action_slug'), name='one_workflow_an_action')],
            },
        ),
    ]
