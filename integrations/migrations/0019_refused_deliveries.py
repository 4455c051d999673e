import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0018_session_is_cut_off'),
    ]

    operations = [
        migrations.CreateModel(
            name='RefusedDeliveries',
            fields=[
                ('app', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='refused_deliveries', serialize=False, to='integrations.oauthapp')),
                ('count', models.PositiveBigIntegerField(default=0)),
                ('last_at', models.DateTimeField()),
                ('last_reason', models.CharField(max_length=200)),
            ],
            options={
                'verbose_name_plural': 'refused deliveries',
            },
        ),
    ]
