import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0006_call'),
    ]

    operations = [
        migrations.CreateModel(
            name='DataKey',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('project', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='data_keys', to='integrations.project')),
                ('wrapped', models.TextField(editable=False)),
                ('is_current', models.BooleanField(default=True)),
                ('retired_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('project',), name='one_current_data_key'), models.UniqueConstraint(condition=models.Q(('is_current', True), ('project', None)), fields=('is_current',), name='one_current_data_key_for_the_deployment')],
            },
        ),
    ]
