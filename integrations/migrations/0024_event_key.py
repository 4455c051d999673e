from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0023_delivery'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='key',
            field=models.CharField(blank=True, max_length=200),
        ),
    ]
