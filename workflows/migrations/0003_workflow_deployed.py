import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('workflows', '0002_workflow_version'),
    ]

    operations = [
        migrations.AddField(
            model_name='workflow',
            name='deployed',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='+', to='workflows.workflowversion'),
        ),
    ]
