import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0005_audit_entry'),
    ]

    operations = [
        migrations.CreateModel(
            name='Call',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='integrations.project')),
                ('connection_id', models.UUIDField(null=True)),
                ('sub', models.CharField(max_length=255, verbose_name='user ID')),
                ('provider_slug', models.SlugField(max_length=40, verbose_name='provider')),
                ('method', models.CharField(max_length=8)),
                ('path', models.CharField(max_length=500)),
                ('status', models.PositiveSmallIntegerField()),
                ('milliseconds', models.PositiveIntegerField()),
                ('at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-at', '-id'],
                'indexes': [models.Index(fields=['project', '-at', '-id'], name='calls_by_age'), models.Index(fields=['project', 'sub', '-at', '-id'], name='calls_of_a_user'), models.Index(fields=['at'], name='calls_to_prune')],
            },
        ),
    ]
