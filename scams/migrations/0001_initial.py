"""The table of the reports of scams."""

import uuid
from pathlib import Path

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from foundations.migration_sql import run_sql

SQL = Path(__file__).parent / 'sql'


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('incidents', '0001_initial'),
        ('statements', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ScamReport',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reported_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='reported')),
                ('channel', models.CharField(choices=[('sms', 'Text message'), ('call', 'Phone call'), ('email', 'E-mail'), ('messenger', 'Messenger'), ('website', 'Website'), ('other', 'Something else')], max_length=9, verbose_name='came as')),
                ('state', models.CharField(choices=[('new', 'new'), ('seen', 'looked at'), ('warned', 'turned into a warning'), ('dismissed', 'dismissed')], default='new', max_length=9, verbose_name='state')),
                ('ciphertext', models.BinaryField()),
                ('same', models.UUIDField(editable=False, null=True, verbose_name='same link or number')),
                ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='scam_reports', to='incidents.incident', verbose_name='incident')),
                ('warning', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='scam_reports', to='statements.statement', verbose_name='warning')),
            ],
            options={
                'verbose_name': 'scam report',
                'verbose_name_plural': 'scam reports',
                'ordering': ['-reported_at'],
                'indexes': [
                    models.Index(fields=['incident', 'same'], name='same_scam'),
                    models.Index(fields=['reported_at', 'id'], name='scams_by_time'),
                    models.Index(fields=['state', 'reported_at', 'id'], name='scams_of_state'),
                    models.Index(fields=['channel', 'reported_at', 'id'], name='scams_of_channel'),
                    models.Index(fields=['incident', 'reported_at', 'id'], name='scams_of_incident'),
                ],
            },
        ),
        run_sql(SQL / 'audit.sql'),
    ]
