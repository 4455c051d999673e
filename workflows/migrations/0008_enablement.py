import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows', '0007_step_run'),
    ]

    operations = [
        migrations.CreateModel(
            name='Enablement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_enabled', models.BooleanField(default=False)),
                ('settings', models.JSONField(blank=True, default=dict)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='enablements', to='integrations.connection')),
                ('workflow', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='enablements', to='workflows.workflow')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(fields=('workflow', 'connection'), name='one_enablement_a_connection')],
            },
        ),
    ]
