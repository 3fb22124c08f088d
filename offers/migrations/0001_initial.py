"""The tables of offers, their codes, and who took one."""

import uuid
from pathlib import Path

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import foundations.languages
import foundations.localized_fields
from django.conf import settings
from django.db import migrations, models

from foundations.migration_models import created_together
from foundations.migration_sql import run_sql

SQL = Path(__file__).parent / 'sql'


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('incidents', '0001_initial'),
        ('notices', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = created_together([
        migrations.CreateModel(
            name='Offer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, max_length=100, verbose_name='title')),
                ('text', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, is_long=True, max_length=1000, verbose_name='what it is')),
                ('use', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, is_long=True, max_length=1000, verbose_name='how to use it')),
                ('link', models.URLField(help_text='Where the offer is used. It is shown with the offer, as it is here.', validators=[django.core.validators.URLValidator(schemes=['https'])], verbose_name='official link')),
                ('ends_on', models.DateField(help_text='In the time zone of the incident.', verbose_name='last day')),
                ('audience', models.CharField(choices=[('all', 'all whose data leaked'), ('classes', 'those of whom one of the chosen data classes leaked'), ('notice', 'those whom the chosen notice reached')], default='all', max_length=7, verbose_name='for whom')),
                ('has_codes', models.BooleanField(default=True, help_text='Customers see the offer once it has codes. Without codes it is the link.', verbose_name='each person gets a code')),
                ('withdrawn_reason', foundations.localized_fields.LocalizedTextField(blank=True, default=foundations.languages.LocalizedText, help_text='A text here ends the offer. Those who have a code read it beside the code.', is_long=True, max_length=500, verbose_name='withdrawn because')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='incidents.incident', verbose_name='incident')),
                ('notice', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='notices.notice', verbose_name='notice')),
            ],
            options={
                'verbose_name': 'offer',
                'verbose_name_plural': 'offers',
                'ordering': ['ends_on', 'pk'],
                'permissions': [('import_codes', 'Can import codes of offers')],
                'default_permissions': ('add', 'change', 'view'),
            },
        ),
        migrations.CreateModel(
            name='OfferClass',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('data_class', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.dataclass', verbose_name='data class')),
                ('offer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='classes', to='offers.offer')),
            ],
            options={
                'verbose_name': 'data class of the offer',
                'verbose_name_plural': 'data classes of the offer',
                'ordering': ['data_class__position', 'data_class__slug'],
            },
        ),
        migrations.CreateModel(
            name='PoolCode',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('digest', models.UUIDField(editable=False)),
                ('ciphertext', models.BinaryField()),
                ('taken_at', models.DateTimeField(null=True)),
                ('offer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='codes', to='offers.offer')),
            ],
            options={
                'verbose_name': 'code of an offer',
                'verbose_name_plural': 'codes of offers',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='OfferTaking',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('taken_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('offer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='takings', to='offers.offer')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('code', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='taking', to='offers.poolcode')),
            ],
            options={
                'verbose_name': 'taking of an offer',
                'verbose_name_plural': 'takings of offers',
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='TakingClaim',
            fields=[
                ('pk', models.CompositePrimaryKey('offer_id', 'key', blank=True, editable=False, primary_key=True, serialize=False)),
                ('key', models.UUIDField(editable=False)),
                ('offer', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='offers.offer')),
                ('taking', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='offers.offertaking')),
            ],
            options={
                'verbose_name': 'claim of a taking',
                'verbose_name_plural': 'claims of takings',
                'default_permissions': (),
            },
        ),
        migrations.AddConstraint(
            model_name='offer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('audience', 'notice'), ('notice__isnull', False)), models.Q(models.Q(('audience', 'notice'), _negated=True), ('notice__isnull', True)), _connector='OR'), name='offer_names_its_notice'),
        ),
        migrations.AddConstraint(
            model_name='offerclass',
            constraint=models.UniqueConstraint(fields=('offer', 'data_class'), name='offer_class_once'),
        ),
        migrations.AddIndex(
            model_name='poolcode',
            index=models.Index(condition=models.Q(('taken_at__isnull', True)), fields=['offer', 'id'], name='codes_left'),
        ),
        migrations.AddConstraint(
            model_name='poolcode',
            constraint=models.UniqueConstraint(fields=('offer', 'digest'), name='code_once'),
        ),
        migrations.AddIndex(
            model_name='offertaking',
            index=models.Index(fields=['offer', 'taken_at'], name='takings_of_offer'),
        ),
        run_sql(SQL / 'offer.sql'),
        run_sql(SQL / 'audit.sql'),
    ])
