
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('incidents', '0009_uploads'),
    ]

    operations = [
        migrations.AlterField(
            model_name='exposurefile',
            name='rows_rejected',
            field=models.PositiveBigIntegerField(default=0, verbose_name='rows rejected'),
        ),
        migrations.AlterField(
            model_name='exposurefile',
            name='rows_taken',
            field=models.PositiveBigIntegerField(default=0, verbose_name='rows taken'),
        ),
        migrations.AlterField(
            model_name='upload',
            name='rows_rejected',
            field=models.PositiveBigIntegerField(default=0, verbose_name='rows rejected'),
        ),
        migrations.AlterField(
            model_name='upload',
            name='rows_taken',
            field=models.PositiveBigIntegerField(default=0, verbose_name='rows taken'),
        ),
    ]
