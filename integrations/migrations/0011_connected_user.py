import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0010_integration'),
    ]

    operations = [
        migrations.CreateModel(
            name='ConnectedUser',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connected_users', to='integrations.project')),
                ('sub', models.CharField(max_length=255, verbose_name='user ID')),
                ('meta', models.JSONField(blank=True, default=dict, verbose_name='metadata')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['-created_at', 'id'],
                'indexes': [models.Index(fields=['project', '-created_at', 'id'], name='users_by_age')],
                'constraints': [models.UniqueConstraint(fields=('project', 'sub'), name='one_row_a_connected_user')],
            },
        ),
    ]
