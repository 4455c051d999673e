import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows', '0006_project_secret'),
    ]

    operations = [
        migrations.CreateModel(
            name='StepRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(max_length=60)),
                ('iteration', models.CharField(blank=True, max_length=40)),
                ('type', models.CharField(max_length=20)),
                ('status', models.CharField(choices=[('started', 'Running'), ('waiting', 'Waiting'), ('in_doubt', 'Checking'), ('done', 'Done'), ('failed', 'Failed'), ('uncertain', 'Uncertain')], max_length=12)),
                ('op_key', models.UUIDField()),
                ('generation', models.PositiveIntegerField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('looks', models.PositiveSmallIntegerField(default=0)),
                ('input', models.JSONField(null=True)),
                ('output', models.JSONField(null=True)),
                ('output_cut_bytes', models.PositiveIntegerField(default=0)),
                ('error', models.CharField(blank=True, max_length=1000)),
                ('error_fields', models.JSONField(default=dict)),
                ('wake_at', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('milliseconds', models.PositiveIntegerField(null=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='workflows.run')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('run', 'path', 'iteration'), name='one_checkpoint_a_step_and_iteration')],
            },
        ),
    ]
