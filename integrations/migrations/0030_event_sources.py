from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0029_event_due_at'),
    ]

    operations = [
        migrations.AlterField(
            model_name='event',
            name='source',
            field=models.CharField(choices=[('app', 'App event'), ('connected', 'Integration enabled'), ('schedule', 'Schedule'), ('webhook', 'Webhook'), ('hand', 'Webhook made by hand'), ('poll', 'Polling'), ('catch_up', 'Catch-up')], max_length=12),
        ),
    ]
