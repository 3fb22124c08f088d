"""Creates the tables of this app with their constraints, functions, triggers and data classes.

Functions and triggers are in sql/, one file for each table. Data classes are in
incidents/initial_data_classes.toml.
"""

import uuid
from pathlib import Path

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import foundations.languages
import foundations.localized_fields

import incidents.models.incident
import incidents.models.jurisdiction
import incidents.models.team_message

from foundations.migration_models import created_together
from foundations.migration_sql import run_sql
from incidents.initial_data_classes import DATA_CLASSES

SQL = Path(__file__).parent / 'sql'


def add_data_classes(apps, schema_editor):
    DataClass = apps.get_model('incidents', 'DataClass')
    for place, entry in enumerate(DATA_CLASSES, start=1):
        DataClass.objects.create(**entry, position=place * 10)


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('account', '0009_emailaddress_unique_primary_email'),
        ('admin', '0003_logentry_add_action_flag_choices'),
        ('mfa', '0003_authenticator_type_uniq'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = created_together([
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('slug', models.SlugField(help_text='Part of its web addresses.', unique=True, verbose_name='slug')),
                ('languages', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=foundations.languages.portal_languages, max_length=12), default=foundations.languages.portal_codes, help_text='The languages of its texts, as codes with commas between them. A statement is published in all of them; the first one is the authority.', size=None, verbose_name='languages')),
                ('default_language', models.CharField(choices=foundations.languages.portal_languages, default=foundations.languages.default_language, help_text='People whose language is none of these get this one.', max_length=12, verbose_name='language of the others')),
                ('company', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, max_length=200, verbose_name='company')),
                ('title', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, max_length=200, verbose_name='title')),
                ('summary', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, help_text='What happened, in ten seconds.', is_long=True, verbose_name='summary')),
                ('began_on', models.DateField(blank=True, null=True, verbose_name='access began')),
                ('ended_on', models.DateField(blank=True, null=True, verbose_name='access ended')),
                ('aware_at', models.DateTimeField(help_text='The legal clocks count from this moment.', verbose_name='became aware')),
                ('illegal_access', models.BooleanField(blank=True, help_text='Some duties depend on it. Leave open what is not known yet.', null=True, verbose_name='illegal access from outside')),
                ('reported_count', models.PositiveBigIntegerField(blank=True, help_text='As the company stated it.', null=True, verbose_name='accounts reported')),
                ('department', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, max_length=200, verbose_name='department')),
                ('contact_phone', models.CharField(blank=True, max_length=50, verbose_name='telephone')),
                ('contact_email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('official_contacts', foundations.localized_fields.LocalizedTextField(blank=True, default=foundations.languages.LocalizedText, help_text='The addresses and numbers the company really uses, one a line.', is_long=True, verbose_name='official contacts')),
                ('phone_region', models.CharField(choices=incidents.models.incident.phone_regions, default=incidents.models.incident.default_phone_region, help_text='Phone numbers without a country code are read as numbers of this region.', max_length=2, verbose_name='region of phone numbers')),
                ('time_zone', models.CharField(choices=incidents.models.incident.time_zones, default=incidents.models.incident.default_time_zone, help_text="The incident's days and clocks are those of this zone.", max_length=40, verbose_name='time zone')),
                ('shared_contact_bound', models.PositiveSmallIntegerField(default=3, help_text='An e-mail address or phone number of more people opens nothing by itself and gets one message. Up to this number, each person is asked for a second fact, as in a family. Notices follow a change from the next closing of a scope version on.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20)], verbose_name='people that may share a contact')),
                ('has_member_numbers', models.BooleanField(default=False, help_text='Only if the reference column of each file holds the member number that the customers’ provider states at the sign-in. The number then opens its row, whatever the contact in the row is.', verbose_name='references are member numbers')),
                ('is_public', models.BooleanField(default=False, verbose_name='public')),
                ('first_public_at', models.DateTimeField(editable=False, null=True, verbose_name='first public')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('data_keyset', models.BinaryField(null=True)),
                ('index_keyset', models.BinaryField(null=True)),
                ('shredded_at', models.DateTimeField(editable=False, null=True, verbose_name='shredded')),
                ('values_deleted_at', models.DateTimeField(editable=False, null=True, verbose_name='values deleted')),
                ('kept_until', models.DateField(editable=False, null=True, verbose_name='kept until')),
            ],
            options={
                'verbose_name': 'incident',
                'verbose_name_plural': 'incidents',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('languages__contains', [models.F('default_language')])), name='default_language_is_one_of_the_incident'),
                    models.CheckConstraint(condition=models.Q(('began_on__isnull', True), ('ended_on__isnull', True), ('began_on__lte', models.F('ended_on')), _connector='OR'), name='incident_began_before_it_ended'),
                    models.CheckConstraint(condition=models.Q(models.Q(('data_keyset__isnull', False), ('index_keyset__isnull', False), ('shredded_at__isnull', True)), models.Q(('data_keyset__isnull', True), ('index_keyset__isnull', True), ('shredded_at__isnull', False)), _connector='OR'), name='incident_has_keysets_or_is_shredded'),
                ],
            },
        ),
        migrations.CreateModel(
            name='DataClass',
            fields=[
                ('id', models.SmallAutoField(primary_key=True, serialize=False)),
                ('slug', models.SlugField(unique=True, verbose_name='slug')),
                ('hibp_name', models.CharField(blank=True, help_text='Two classes may share one: theirs are coarser.', max_length=100, verbose_name='Have I Been Pwned name')),
                ('name', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, max_length=100, verbose_name='name')),
                ('unit', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, help_text='In Korean the counter only, such as 개 or 건.', max_length=50, verbose_name='counted as (one)')),
                ('units', foundations.localized_fields.LocalizedTextField(blank=True, default=foundations.languages.LocalizedText, max_length=50, verbose_name='counted as (several)')),
                ('is_one_each', models.BooleanField(default=False, help_text='One of it is told without its number: "your name", not "1 name".', verbose_name='one a person')),
                ('sensitivity', models.SmallIntegerField(choices=[(1, 'low'), (2, 'medium'), (3, 'high')], verbose_name='sensitivity')),
                ('may_have_lines', models.BooleanField(default=False, help_text='A value may have several lines, as an address or a note. In any other class a line break rejects the row.', verbose_name='several lines')),
                ('masking', models.CharField(choices=[('name', 'name: first and last character stay'), ('email', 'e-mail: first character and ending stay'), ('phone', 'phone: prefix and last four digits stay'), ('address', 'address: city and district stay'), ('secret', 'secret: nothing stays'), ('text', 'text: first characters stay')], max_length=10, verbose_name='masking')),
                ('date_meaning', models.CharField(choices=[('saved', 'it was saved'), ('ordered', 'it was ordered')], default='saved', help_text='Shown where the export has a date for a value.', max_length=10, verbose_name='on the date of a value')),
                ('actions', foundations.localized_fields.LocalizedTextField(blank=True, default=foundations.languages.LocalizedText, help_text='One step a line.', is_long=True, verbose_name='what to do')),
                ('position', models.PositiveSmallIntegerField(default=100, verbose_name='position')),
            ],
            options={
                'verbose_name': 'data class',
                'verbose_name_plural': 'data classes',
                'ordering': ['position', 'slug'],
            },
        ),
        migrations.CreateModel(
            name='IncidentDataClass',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('involved', 'Leaked'), ('possibly', 'Possibly leaked'), ('not_involved', 'Did not leak')], max_length=12, verbose_name='state')),
                ('basis', models.CharField(choices=[('confirmed', 'Confirmed'), ('company', 'Reported by the company'), ('investigation', 'Under investigation'), ('allegation', 'An allegation, not confirmed')], max_length=13, verbose_name='basis')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='class_states', to='incidents.incident', verbose_name='incident')),
                ('data_class', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.dataclass', verbose_name='data class')),
            ],
            options={
                'verbose_name': 'data class of the incident',
                'verbose_name_plural': 'data classes of the incident',
                'ordering': ['data_class__position', 'data_class__slug'],
                'constraints': [models.UniqueConstraint(fields=('incident', 'data_class'), name='class_stated_once')],
            },
        ),
        migrations.CreateModel(
            name='IncidentJurisdiction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('jurisdiction', models.CharField(choices=incidents.models.jurisdiction.jurisdiction_choices, max_length=10, verbose_name='jurisdiction')),
                ('standing', models.CharField(choices=[('applies', 'applies'), ('voluntary', 'followed voluntarily')], default='applies', max_length=9, verbose_name='standing')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='jurisdictions', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'jurisdiction of the incident',
                'verbose_name_plural': 'jurisdictions of the incident',
                'ordering': ['jurisdiction'],
                'constraints': [models.UniqueConstraint(fields=('incident', 'jurisdiction'), name='jurisdiction_stated_once')],
            },
        ),
        migrations.CreateModel(
            name='FactChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(editable=False, max_length=100)),
                ('object_id', models.BigIntegerField(editable=False, null=True)),
                ('title', models.CharField(editable=False, max_length=300, verbose_name='what changes')),
                ('changes', models.JSONField(editable=False)),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
                ('proposed_at', models.DateTimeField(auto_now_add=True, verbose_name='proposed')),
                ('confirmed_at', models.DateTimeField(null=True, verbose_name='confirmed')),
                ('withdrawn_at', models.DateTimeField(null=True, verbose_name='withdrawn')),
                ('incident', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.incident', verbose_name='incident')),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by')),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by')),
            ],
            options={
                'verbose_name': 'change of public facts',
                'verbose_name_plural': 'changes of public facts',
                'ordering': ['-proposed_at'],
                'permissions': [('confirm_factchange', 'Can confirm changes of public facts')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmed_by__isnull', True)), models.Q(('confirmed_at__isnull', False), models.Q(('confirmed_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='facts_confirmed_by_a_second_person'),
                    models.UniqueConstraint(condition=models.Q(('confirmed_at__isnull', True), ('withdrawn_at__isnull', True)), fields=('model', 'object_id'), name='one_waiting_change_of_facts'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ExposureBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='scope version')),
                ('state', models.CharField(choices=[('open', 'open: files may be loaded'), ('closed', 'closed: complete'), ('withdrawn', 'withdrawn')], default='open', max_length=9, verbose_name='state')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('opened_at', models.DateTimeField(auto_now_add=True, verbose_name='opened')),
                ('closed_at', models.DateTimeField(editable=False, null=True, verbose_name='closed')),
                ('counted_at', models.DateTimeField(editable=False, null=True, verbose_name='counted')),
                ('rows_unread', models.PositiveBigIntegerField(default=0, verbose_name='rows that could not be read')),
                ('files_unread', models.PositiveIntegerField(default=0, verbose_name='files that could not be read')),
                ('people_unlinked', models.PositiveBigIntegerField(default=0, verbose_name='people without a contact')),
                ('recipients_unlinked', models.PositiveBigIntegerField(default=0, verbose_name='recipients without a number')),
                ('withdrawn_at', models.DateTimeField(editable=False, null=True, verbose_name='withdrawn')),
                ('withdrawn_reason', models.TextField(blank=True, verbose_name='reason for the withdrawal')),
                ('public_reason', models.CharField(blank=True, choices=[('not_leaked', 'It was not part of the data that leaked.'), ('replaced', 'It had mistakes. A corrected version replaces it.'), ('mistakes', 'It had mistakes.'), ('other', 'Another reason. The page says how to ask the company.')], max_length=10, verbose_name='reason that customers read')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='batches', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'scope version',
                'verbose_name_plural': 'scope versions',
                'ordering': ['incident', 'number'],
                'constraints': [
                    models.UniqueConstraint(fields=('incident', 'number'), name='scope_version_once'),
                    models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('incident',), name='one_open_batch'),
                ],
            },
        ),
        migrations.CreateModel(
            name='BatchChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('close', 'closing'), ('withdraw', 'withdrawal')], max_length=8, verbose_name='change')),
                ('state', models.CharField(choices=[('waiting', 'waiting for a worker'), ('running', 'under way: people are being counted'), ('done', 'done'), ('failed', 'failed')], default='waiting', max_length=7, verbose_name='state')),
                ('refusal', models.TextField(blank=True, verbose_name='why it failed')),
                ('asked_at', models.DateTimeField(auto_now_add=True, verbose_name='asked')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='incidents.exposurebatch', verbose_name='scope version')),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by')),
            ],
            options={
                'verbose_name': 'change of a scope version',
                'verbose_name_plural': 'changes of scope versions',
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['waiting', 'running'])), fields=('batch',), name='one_change_of_a_batch_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='ExposureFile',
            fields=[
                ('id', models.AutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=255, verbose_name='file')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('content_sha256', models.CharField(default='', editable=False, max_length=64)),
                ('sheet', models.CharField(default='', editable=False, max_length=255)),
                ('has_other_sheets', models.BooleanField(default=False, editable=False)),
                ('size', models.PositiveBigIntegerField(verbose_name='bytes')),
                ('encoding', models.CharField(max_length=20, verbose_name='encoding')),
                ('mapping', models.TextField(help_text='As it was used.', verbose_name='mapping')),
                ('state', models.CharField(choices=[('loading', 'loading'), ('loaded', 'loaded'), ('failed', 'failed'), ('withdrawn', 'withdrawn')], default='loading', max_length=9, verbose_name='state')),
                ('rows_read', models.PositiveBigIntegerField(default=0, verbose_name='rows read')),
                ('rows_taken', models.PositiveBigIntegerField(default=0, verbose_name='rows taken')),
                ('rows_rejected', models.PositiveBigIntegerField(default=0, verbose_name='rows rejected')),
                ('started_at', models.DateTimeField(auto_now_add=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='incidents.exposurebatch', verbose_name='scope version')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.incident', verbose_name='incident')),
                ('corrects', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='corrections', to='incidents.exposurefile', verbose_name='corrects')),
            ],
            options={
                'verbose_name': 'imported file',
                'verbose_name_plural': 'imported files',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('state', 'loaded'), _negated=True), models.Q(('finished_at__isnull', False), ('rows_read', models.F('rows_taken') + models.F('rows_rejected'))), _connector='OR'), name='every_row_taken_or_rejected'),
                    models.UniqueConstraint(condition=models.Q(('state__in', ['failed', 'withdrawn']), _negated=True), fields=('incident', 'sha256', 'sheet'), name='file_loaded_once'),
                    models.UniqueConstraint(condition=models.Q(models.Q(('state__in', ['failed', 'withdrawn']), _negated=True), models.Q(('content_sha256', ''), _negated=True)), fields=('incident', 'content_sha256'), name='content_loaded_once'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ScopeCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('relation', models.SmallIntegerField(choices=[(1, 'member'), (2, 'former member'), (3, 'recipient')], verbose_name='relation')),
                ('language', models.CharField(max_length=12, verbose_name='language')),
                ('people', models.PositiveBigIntegerField(verbose_name='people')),
                ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='scope_counts', to='incidents.incident', verbose_name='incident')),
                ('batch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.exposurebatch', verbose_name='scope version')),
                ('data_class', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.dataclass', verbose_name='data class')),
            ],
            options={
                'verbose_name': 'count of people',
                'verbose_name_plural': 'counts of people',
                'constraints': [models.UniqueConstraint(fields=('incident', 'batch', 'relation', 'language', 'data_class'), name='people_counted_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='AffectedPerson',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('relation', models.SmallIntegerField(choices=[(1, 'member'), (2, 'former member'), (3, 'recipient')], verbose_name='relation')),
                ('language', models.CharField(max_length=12, verbose_name='language')),
                ('email_reach', models.SmallIntegerField(choices=[(1, 'usable'), (2, 'missing'), (3, 'cannot be one'), (4, 'landline: takes no text messages')], verbose_name='e-mail')),
                ('phone_reach', models.SmallIntegerField(choices=[(1, 'usable'), (2, 'missing'), (3, 'cannot be one'), (4, 'landline: takes no text messages')], verbose_name='phone')),
                ('email_index', models.UUIDField(editable=False, null=True)),
                ('phone_index', models.UUIDField(editable=False, null=True)),
                ('file', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='incidents.exposurefile', verbose_name='imported file')),
                ('contact', models.BinaryField()),
                ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='people', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'affected person',
                'verbose_name_plural': 'affected people',
                'indexes': [
                    models.Index(condition=models.Q(('email_index__isnull', False)), fields=['email_index'], name='person_by_email'),
                    models.Index(condition=models.Q(('phone_index__isnull', False)), fields=['phone_index'], name='person_by_phone'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('email_index__isnull', False), ('email_reach', 1)), models.Q(('email_index__isnull', True), ('email_reach__in', [2, 3])), _connector='OR'), name='usable_email_has_index'),
                    models.CheckConstraint(condition=models.Q(models.Q(('phone_index__isnull', False), ('phone_reach__in', [1, 4])), models.Q(('phone_index__isnull', True), ('phone_reach__in', [2, 3])), _connector='OR'), name='usable_phone_has_index'),
                ],
            },
        ),
        migrations.CreateModel(
            name='FurtherContact',
            fields=[
                ('pk', models.CompositePrimaryKey('person_id', 'kind', 'contact_index', blank=True, editable=False, primary_key=True, serialize=False)),
                ('kind', models.SmallIntegerField(choices=[(1, 'e-mail'), (2, 'phone')], verbose_name='kind')),
                ('contact_index', models.UUIDField(editable=False)),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='further_contacts', to='incidents.affectedperson', verbose_name='affected person')),
            ],
            options={
                'verbose_name': 'further contact',
                'verbose_name_plural': 'further contacts',
                'indexes': [models.Index(fields=['contact_index'], name='person_by_further_contact')],
            },
        ),
        migrations.CreateModel(
            name='FileContact',
            fields=[
                ('pk', models.CompositePrimaryKey('person_id', 'file_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('contact', models.BinaryField(null=True)),
                ('email_reach', models.SmallIntegerField(choices=[(1, 'usable'), (2, 'missing'), (3, 'cannot be one'), (4, 'landline: takes no text messages')], verbose_name='e-mail')),
                ('phone_reach', models.SmallIntegerField(choices=[(1, 'usable'), (2, 'missing'), (3, 'cannot be one'), (4, 'landline: takes no text messages')], verbose_name='phone')),
                ('email_index', models.UUIDField(editable=False, null=True)),
                ('phone_index', models.UUIDField(editable=False, null=True)),
                ('file', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.exposurefile', verbose_name='imported file')),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='file_contacts', to='incidents.affectedperson', verbose_name='affected person')),
            ],
            options={
                'verbose_name': 'contact in a file',
                'verbose_name_plural': 'contacts in files',
                'indexes': [models.Index(fields=['file'], name='contact_by_file')],
            },
        ),
        migrations.CreateModel(
            name='RefusedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255, verbose_name='file')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('sheet', models.CharField(default='', editable=False, max_length=255)),
                ('size', models.PositiveBigIntegerField(verbose_name='bytes')),
                ('mapping', models.TextField(verbose_name='mapping')),
                ('refused_at', models.DateTimeField(auto_now_add=True, verbose_name='refused')),
                ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='refused_files', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'refused file',
                'verbose_name_plural': 'refused files',
                'constraints': [models.UniqueConstraint(fields=('incident', 'sha256', 'sheet'), name='refused_file_once')],
            },
        ),
        migrations.CreateModel(
            name='RejectedRow',
            fields=[
                ('pk', models.CompositePrimaryKey('file_id', 'line', blank=True, editable=False, primary_key=True, serialize=False)),
                ('line', models.PositiveIntegerField(verbose_name='line')),
                ('reason', models.TextField(verbose_name='reason')),
                ('file', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rejected_rows', to='incidents.exposurefile', verbose_name='imported file')),
                ('settled_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.exposurefile', verbose_name='loaded with')),
            ],
            options={
                'verbose_name': 'rejected row',
                'verbose_name_plural': 'rejected rows',
            },
        ),
        migrations.CreateModel(
            name='UnreadContact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField(verbose_name='line')),
                ('person_key', models.UUIDField(editable=False, null=True)),
                ('email_index', models.UUIDField(editable=False, null=True)),
                ('phone_index', models.UUIDField(editable=False, null=True)),
                ('name_index', models.UUIDField(editable=False, null=True)),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='unread_contacts', to='incidents.exposurefile', verbose_name='imported file')),
            ],
            options={
                'verbose_name': 'contact of an unread row',
                'verbose_name_plural': 'contacts of unread rows',
                'indexes': [models.Index(condition=models.Q(('email_index__isnull', False)), fields=['email_index'], name='unread_by_email'), models.Index(condition=models.Q(('phone_index__isnull', False)), fields=['phone_index'], name='unread_by_phone')],
            },
        ),
        migrations.CreateModel(
            name='BatchWithdrawal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.TextField(verbose_name='reason')),
                ('proposed_at', models.DateTimeField(auto_now_add=True, verbose_name='proposed')),
                ('confirmed_at', models.DateTimeField(null=True, verbose_name='confirmed')),
                ('withdrawn_at', models.DateTimeField(null=True, verbose_name='withdrawn')),
                ('public_reason', models.CharField(choices=[('not_leaked', 'It was not part of the data that leaked.'), ('replaced', 'It had mistakes. A corrected version replaces it.'), ('mistakes', 'It had mistakes.'), ('other', 'Another reason. The page says how to ask the company.')], max_length=10, verbose_name='reason that customers read')),
                ('rows', models.PositiveBigIntegerField(verbose_name='rows')),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawals', to='incidents.exposurebatch', verbose_name='scope version')),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by')),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by')),
            ],
            options={
                'verbose_name': 'withdrawal of a scope version',
                'verbose_name_plural': 'withdrawals of scope versions',
                'ordering': ['-proposed_at'],
                'permissions': [('confirm_batchwithdrawal', 'Can confirm withdrawals of scope versions')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmed_by__isnull', True)), models.Q(('confirmed_at__isnull', False), models.Q(('confirmed_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='withdrawal_confirmed_by_a_second_person'),
                    models.UniqueConstraint(condition=models.Q(('confirmed_at__isnull', True), ('withdrawn_at__isnull', True)), fields=('batch',), name='one_waiting_withdrawal_of_a_batch'),
                ],
            },
        ),
        migrations.CreateModel(
            name='WriteOff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rows', models.PositiveBigIntegerField(null=True, verbose_name='rows')),
                ('reason', models.TextField(verbose_name='reason')),
                ('proposed_at', models.DateTimeField(auto_now_add=True, verbose_name='proposed')),
                ('confirmed_at', models.DateTimeField(null=True, verbose_name='confirmed')),
                ('withdrawn_at', models.DateTimeField(null=True, verbose_name='withdrawn')),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by')),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='write_offs', to='incidents.exposurefile', verbose_name='imported file')),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by')),
            ],
            options={
                'verbose_name': 'write-off',
                'verbose_name_plural': 'write-offs',
                'ordering': ['-proposed_at'],
                'permissions': [('confirm_writeoff', 'Can confirm write-offs')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmed_by__isnull', True)), models.Q(('confirmed_at__isnull', False), models.Q(('confirmed_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='write_off_confirmed_by_a_second_person'),
                    models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('file',), name='one_write_off_a_file'),
                ],
            },
        ),
        # A table of partitions, which Django cannot create: see sql/exposure.sql.
        migrations.SeparateDatabaseAndState(
            database_operations=[run_sql(SQL / 'exposure.sql')],
            state_operations=[
                migrations.CreateModel(
                    name='Exposure',
                    fields=[
                        ('pk', models.CompositePrimaryKey('person_id', 'file_id', 'line', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('line', models.PositiveIntegerField(help_text="The row's first physical line; the header is line 1.")),
                        ('data_classes', django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), help_text='DataClass ids, ascending.', size=None)),
                        ('ciphertext', models.BinaryField(null=True)),
                        ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='exposures', to='incidents.affectedperson', verbose_name='affected person')),
                        ('file', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.exposurefile', verbose_name='imported file')),
                    ],
                    options={
                        'verbose_name': 'exposure',
                        'verbose_name_plural': 'exposures',
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name='Reveal',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='at')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='reveals', to=settings.AUTH_USER_MODEL, verbose_name='user')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reveals', to='incidents.affectedperson', verbose_name='affected person')),
            ],
            options={
                'verbose_name': 'reveal',
                'verbose_name_plural': 'reveals',
            },
        ),
        migrations.CreateModel(
            name='SavedMapping',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('choices', models.TextField()),
                ('changed_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='saved by')),
            ],
            options={
                'verbose_name': 'saved mapping',
                'verbose_name_plural': 'saved mappings',
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='savedmapping_name', violation_error_message='Another mapping has this name.')],
            },
        ),
        migrations.CreateModel(
            name='Upload',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=255, verbose_name='file')),
                ('size', models.PositiveBigIntegerField(verbose_name='bytes')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('mapping', models.TextField(blank=True, verbose_name='mapping')),
                ('encoding', models.CharField(blank=True, max_length=20, verbose_name='encoding')),
                ('state', models.CharField(choices=[('to_check', 'waiting to be checked'), ('checking', 'being checked'), ('to_map', 'waiting for its columns to be chosen'), ('checked', 'checked: nothing is loaded yet'), ('to_import', 'waiting to be imported'), ('importing', 'being imported'), ('imported', 'imported'), ('refused', 'refused'), ('discarded', 'thrown away')], default='to_check', max_length=9, verbose_name='state')),
                ('refusal', models.TextField(blank=True, verbose_name='why it was refused')),
                ('rows_read', models.PositiveBigIntegerField(default=0, verbose_name='rows read')),
                ('rows_taken', models.PositiveBigIntegerField(default=0, verbose_name='rows taken')),
                ('rows_rejected', models.PositiveBigIntegerField(default=0, verbose_name='rows rejected')),
                ('people_joined', models.PositiveBigIntegerField(default=0, verbose_name='people to whom it adds')),
                ('first_rejects', models.JSONField(default=list, help_text='[line, reason], as the check found them.', verbose_name='first rejects')),
                ('findings', models.JSONField(default=list, help_text='[code, stored message], as the check found them.', verbose_name='findings')),
                ('accepted_reason', models.TextField(blank=True, verbose_name='why the findings were accepted')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='uploaded')),
                ('changed_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('first_failed_at', models.DateTimeField(editable=False, null=True)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uploads', to='incidents.incident', verbose_name='incident')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='uploaded by')),
                ('file', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='incidents.exposurefile', verbose_name='imported file')),
            ],
            options={
                'verbose_name': 'uploaded file',
                'verbose_name_plural': 'uploaded files',
                'ordering': ['-created_at'],
                'permissions': [('confirm_upload', 'Can import files that add to people of other files')],
                'indexes': [models.Index(fields=['state', 'changed_at'], name='upload_by_state')],
            },
        ),
        migrations.CreateModel(
            name='UploadPiece',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('content', 'Content'), ('rejects', 'Rejects'), ('profile', 'Profile')], max_length=7)),
                ('number', models.PositiveIntegerField()),
                ('ciphertext', models.BinaryField()),
                ('upload', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pieces', to='incidents.upload')),
            ],
            options={
                'verbose_name': 'piece of an uploaded file',
                'verbose_name_plural': 'pieces of uploaded files',
                'constraints': [models.UniqueConstraint(fields=('upload', 'kind', 'number'), name='upload_piece_once')],
            },
        ),
        migrations.CreateModel(
            name='Reencryption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key_id', models.BigIntegerField(help_text="Tink's own number of it.", verbose_name='new key')),
                ('state', models.CharField(choices=[('waiting', 'waiting until every process knows the new key'), ('running', 'sealing again'), ('done', 'done: the old keys are gone')], default='waiting', max_length=7, verbose_name='state')),
                ('position', models.UUIDField(editable=False, null=True)),
                ('rows', models.PositiveBigIntegerField(default=0, verbose_name='rows sealed again')),
                ('started_at', models.DateTimeField(auto_now_add=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(editable=False, null=True, verbose_name='finished')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reencryptions', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'change of the data key',
                'verbose_name_plural': 'changes of the data key',
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'done'), _negated=True), fields=('incident',), name='one_reencryption_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='Shredding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField(null=True, verbose_name='asked')),
                ('done_at', models.DateTimeField(null=True, verbose_name='shredded')),
                ('data_fingerprint', models.CharField(max_length=64, verbose_name='fingerprint of the data keyset')),
                ('index_fingerprint', models.CharField(max_length=64, verbose_name='fingerprint of the index keyset')),
                ('position', models.UUIDField(editable=False, null=True)),
                ('contact_position', models.UUIDField(editable=False, null=True)),
                ('people', models.PositiveBigIntegerField(default=0, verbose_name='people purged')),
                ('exposures', models.PositiveBigIntegerField(default=0, verbose_name='exposures purged')),
                ('purged_at', models.DateTimeField(null=True, verbose_name='purged')),
                ('incident', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='shredding', to='incidents.incident', verbose_name='incident')),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by')),
                ('done_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='shredded by')),
            ],
            options={
                'verbose_name': 'shredding',
                'verbose_name_plural': 'shreddings',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('done_at__isnull', True), models.Q(('data_fingerprint__regex', '^[0-9a-f]{64}$'), ('index_fingerprint__regex', '^[0-9a-f]{64}$')), _connector='OR'), name='shredding_says_what'),
                    models.CheckConstraint(condition=models.Q(('done_by__isnull', True), models.Q(('done_by', models.F('asked_by')), _negated=True), _connector='OR'), name='shredding_takes_two'),
                ],
            },
        ),
        migrations.CreateModel(
            name='WrongAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='at')),
                ('by_claim', models.BooleanField(db_default=False)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='wrong_answers', to='incidents.affectedperson', verbose_name='affected person')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'wrong answer',
                'verbose_name_plural': 'wrong answers',
            },
        ),
        migrations.CreateModel(
            name='PersonMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('deceased', 'deceased'), ('minor', 'a minor'), ('restricted', 'restricted'), ('corrected', 'corrected')], max_length=10, verbose_name='mark')),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('note', models.CharField(blank=True, help_text="Shown on the person's page “my data”. Needed for “corrected”.", max_length=500, verbose_name='note for the person')),
                ('marked_at', models.DateTimeField(auto_now_add=True, verbose_name='marked')),
                ('lifted_at', models.DateTimeField(null=True, verbose_name='lifted')),
                ('lifted_reason', models.CharField(blank=True, max_length=500, verbose_name='why it was lifted')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.incident', verbose_name='incident')),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='lifted by')),
                ('marked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='marked by')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='incidents.affectedperson', verbose_name='affected person')),
            ],
            options={
                'verbose_name': 'mark of a person',
                'verbose_name_plural': 'marks of people',
                'ordering': ['-marked_at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('person', 'kind'), name='person_marked_once'), models.CheckConstraint(condition=models.Q(models.Q(('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False)), _connector='OR'), name='mark_lifted_by_a_person'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'corrected'), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='correction_has_a_note')],
            },
        ),
        migrations.CreateModel(
            name='AddressChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mail_tries', models.PositiveSmallIntegerField(default=0)),
                ('mail_after', models.DateTimeField(null=True)),
                ('reason', models.TextField(verbose_name='reason')),
                ('proposed_at', models.DateTimeField(auto_now_add=True, verbose_name='proposed')),
                ('confirmed_at', models.DateTimeField(null=True, verbose_name='confirmed')),
                ('withdrawn_at', models.DateTimeField(null=True, verbose_name='withdrawn')),
                ('kind', models.SmallIntegerField(choices=[(1, 'e-mail'), (2, 'phone')], verbose_name='kind')),
                ('contact_index', models.UUIDField(editable=False)),
                ('ciphertext', models.BinaryField()),
                ('claim_fact', models.CharField(blank=True, choices=[('digits', 'the last four digits of the phone number'), ('name', 'the name as it is written'), ('email', 'the part of the e-mail address before the @')], max_length=6, verbose_name='second fact')),
                ('claimed_with', models.BigIntegerField(editable=False, null=True)),
                ('stopped_by', models.CharField(blank=True, choices=[('claimant', 'the customer who made it'), ('contact', 'the contact in the data')], max_length=8, verbose_name='stopped by')),
                ('told_at', models.DateTimeField(null=True, verbose_name='contact in the data told')),
                ('text_tries', models.PositiveSmallIntegerField(default=0)),
                ('ended_at', models.DateTimeField(null=True, verbose_name='ended')),
                ('ended_reason', models.CharField(blank=True, max_length=500, verbose_name='why it was ended')),
                ('claimed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='address_claims', to=settings.AUTH_USER_MODEL, verbose_name='claimed by')),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by')),
                ('ended_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='ended by')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.incident', verbose_name='incident')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='address_changes', to='incidents.affectedperson', verbose_name='affected person')),
                ('proposed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by')),
            ],
            options={
                'verbose_name': 'change of address',
                'verbose_name_plural': 'changes of address',
                'ordering': ['-proposed_at'],
                'permissions': [('confirm_addresschange', 'Can confirm changes of address')],
                'default_permissions': ('add', 'view'),
                'indexes': [models.Index(condition=models.Q(('confirmed_at__isnull', False), ('ended_at__isnull', True)), fields=['contact_index'], name='person_by_new_address')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmed_by__isnull', True)), models.Q(('confirmed_at__isnull', False), models.Q(('confirmed_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='address_confirmed_by_a_second_person'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('confirmed_at__isnull', False), ('ended_at__isnull', False), models.Q(('ended_by__isnull', False), models.Q(('stopped_by', ''), _negated=True), _connector='OR')), _connector='OR'), name='confirmed_address_ended_by_a_person'), models.CheckConstraint(condition=models.Q(models.Q(('claim_fact', ''), ('claimed_by__isnull', True), ('proposed_by__isnull', False)), models.Q(('claimed_with__isnull', False), ('proposed_by__isnull', True), models.Q(('claim_fact', ''), _negated=True)), _connector='OR'), name='address_proposed_or_claimed'), models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), ('withdrawn_at__isnull', True)), fields=('person', 'kind'), name='one_new_address_of_a_person')],
            },
        ),
        migrations.CreateModel(
            name='RowProof',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fact', models.CharField(choices=[('digits', 'the last four digits of the phone number'), ('name', 'the name as it is written'), ('email', 'the part of the e-mail address before the @')], max_length=6, verbose_name='proven by')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='at')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='proofs', to='incidents.affectedperson', verbose_name='affected person')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='row_proofs', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'proof of a row',
                'verbose_name_plural': 'proofs of rows',
                'constraints': [models.UniqueConstraint(fields=('user', 'person'), name='row_proven_once')],
            },
        ),
        migrations.CreateModel(
            name='DoneStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(editable=False, max_length=16, verbose_name='step')),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='at')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.incident', verbose_name='incident')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='done_steps', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'done step',
                'verbose_name_plural': 'done steps',
                'constraints': [models.UniqueConstraint(fields=('user', 'incident', 'step'), name='step_done_once')],
            },
        ),
        migrations.CreateModel(
            name='StepReminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('mails', models.PositiveSmallIntegerField(default=0)),
                ('due_at', models.DateTimeField(db_index=True, null=True)),
                ('mail_tries', models.PositiveSmallIntegerField(default=0)),
                ('mail_after', models.DateTimeField(null=True)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.incident', verbose_name='incident')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='step_reminders', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('user', 'incident'), name='one_reminder_of_steps')],
            },
        ),
        migrations.CreateModel(
            name='SharedContact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('email', 'e-mail'), ('phone', 'phone')], max_length=5, verbose_name='kind')),
                ('contact_index', models.UUIDField(editable=False)),
                ('people', models.PositiveBigIntegerField(verbose_name='people')),
                ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='shared_contacts', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'shared contact',
                'verbose_name_plural': 'shared contacts',
                'ordering': ['incident', '-people', 'pk'],
                'permissions': [('open_sharedcontact', 'Can read shared contacts, partly hidden')],
                'constraints': [models.UniqueConstraint(fields=('incident', 'kind', 'contact_index'), name='shared_contact_once')],
                'indexes': [models.Index(fields=['incident', 'people', 'id'], name='shared_contacts_by_size'), models.Index(fields=['kind', 'incident', 'people', 'id'], name='shared_contacts_of_kind')],
            },
        ),
        migrations.CreateModel(
            name='FigurePoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figure', models.CharField(max_length=20, verbose_name='figure')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('value', models.PositiveBigIntegerField(verbose_name='value')),
                ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='figure_points', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'point of a figure',
                'verbose_name_plural': 'points of figures',
                'constraints': [models.UniqueConstraint(fields=('incident', 'figure', 'at'), name='figure_point_once')],
            },
        ),
        migrations.CreateModel(
            name='IncidentDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('answers', models.JSONField(default=dict, verbose_name='answers')),
                ('changed_at', models.DateTimeField(auto_now=True, verbose_name='changed')),
                ('by', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='incident_draft', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'draft of an incident',
                'verbose_name_plural': 'drafts of incidents',
            },
        ),
        migrations.CreateModel(
            name='MessageChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('by_mail', models.BooleanField(default=True, verbose_name='by e-mail')),
                ('webhooks', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None, verbose_name='webhooks')),
                ('kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('clock', 'legal clocks, 24, 6 and 1 hours before they run out'), ('waiting', 'what waits for your approval or confirmation'), ('paused', 'notices that are paused, with the reason'), ('shredding', 'requests to shred data'), ('superuser', 'new superusers, roles changed by hand, very many look-ups'), ('scams', 'scam reports that come in numbers'), ('tickets', 'answers to customers that are due by tomorrow'), ('offers', 'offers whose codes run out'), ('retention', 'deletions of data, 30, 7 and 1 days before, and overdue ones'), ('portal', 'faults of the portal that last, such as a full disk')], max_length=9), blank=True, default=incidents.models.team_message.every_kind, size=None, verbose_name='subjects')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='message_choice', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'choice of messages',
                'verbose_name_plural': 'choices of messages',
            },
        ),
        migrations.CreateModel(
            name='TeamMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event', models.CharField(max_length=150)),
                ('to', models.CharField(max_length=60)),
                ('kind', models.CharField(choices=[('clock', 'legal clocks, 24, 6 and 1 hours before they run out'), ('waiting', 'what waits for your approval or confirmation'), ('paused', 'notices that are paused, with the reason'), ('shredding', 'requests to shred data'), ('superuser', 'new superusers, roles changed by hand, very many look-ups'), ('scams', 'scam reports that come in numbers'), ('tickets', 'answers to customers that are due by tomorrow'), ('offers', 'offers whose codes run out'), ('retention', 'deletions of data, 30, 7 and 1 days before, and overdue ones'), ('portal', 'faults of the portal that last, such as a full disk')], max_length=9)),
                ('text', models.TextField()),
                ('path', models.CharField(max_length=300)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'message to the response team',
                'verbose_name_plural': 'messages to the response team',
                'indexes': [models.Index(condition=models.Q(('sent_at__isnull', True)), fields=['id'], name='team_message_due')],
                'constraints': [models.UniqueConstraint(fields=('event', 'to'), name='team_message_once')],
            },
        ),
        migrations.CreateModel(
            name='WithdrawnContact',
            fields=[
                ('pk', models.CompositePrimaryKey('contact_index', 'batch_id', 'person_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('contact_index', models.UUIDField(editable=False)),
                ('batch', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.exposurebatch', verbose_name='scope version')),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.affectedperson', verbose_name='affected person')),
            ],
            options={
                'verbose_name': 'withdrawn contact',
                'verbose_name_plural': 'withdrawn contacts',
            },
        ),
        migrations.CreateModel(
            name='RetentionDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.TextField(verbose_name='reason')),
                ('proposed_at', models.DateTimeField(auto_now_add=True, verbose_name='proposed')),
                ('confirmed_at', models.DateTimeField(null=True, verbose_name='confirmed')),
                ('withdrawn_at', models.DateTimeField(null=True, verbose_name='withdrawn')),
                ('kind', models.CharField(choices=[('plan', 'retention plan'), ('hold', 'legal hold'), ('release', 'release of the legal hold')], max_length=7, verbose_name='kind')),
                ('values_on', models.DateField(null=True, verbose_name='values are deleted on')),
                ('contacts_on', models.DateField(null=True, verbose_name='contacts are deleted on')),
                ('proof_until', models.DateField(null=True, verbose_name='proof is kept until')),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='retention_decisions', to='incidents.incident', verbose_name='incident')),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by')),
            ],
            options={
                'verbose_name': 'retention decision',
                'verbose_name_plural': 'retention decisions',
                'ordering': ['-proposed_at'],
                'permissions': [('confirm_retentiondecision', 'Can confirm retention decisions')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', True), ('confirmed_by__isnull', True)), models.Q(('confirmed_at__isnull', False), models.Q(('confirmed_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='retention_confirmed_by_a_second_person'),
                    models.CheckConstraint(condition=models.Q(models.Q(('contacts_on__isnull', False), ('kind', 'plan'), ('values_on__isnull', False), ('contacts_on__gte', models.F('values_on')), models.Q(('proof_until__isnull', True), ('proof_until__gte', models.F('contacts_on')), _connector='OR')), models.Q(models.Q(('kind', 'plan'), _negated=True), ('contacts_on__isnull', True), ('proof_until__isnull', True), ('values_on__isnull', True)), _connector='OR'), name='retention_plan_has_dates_in_order'),
                    models.UniqueConstraint(condition=models.Q(('confirmed_at__isnull', True), ('withdrawn_at__isnull', True)), fields=('incident',), name='one_waiting_retention_decision'),
                ],
            },
        ),
        migrations.CreateModel(
            name='DataDeletion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(choices=[('values', 'values'), ('contacts', 'contacts')], max_length=8, verbose_name='step')),
                ('started_at', models.DateTimeField(auto_now_add=True, verbose_name='started')),
                ('position', models.UUIDField(editable=False, null=True)),
                ('people', models.PositiveBigIntegerField(default=0, verbose_name='people')),
                ('rows', models.PositiveBigIntegerField(default=0, verbose_name='rows')),
                ('key_digest', models.CharField(max_length=64, verbose_name='digest of the destroyed key')),
                ('key_ids', models.JSONField(default=list, verbose_name='ids of the destroyed keys')),
                ('done_at', models.DateTimeField(null=True, verbose_name='done')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deletions', to='incidents.incident', verbose_name='incident')),
                ('started_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='started by')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='incidents.retentiondecision', verbose_name='retention plan')),
            ],
            options={
                'verbose_name': 'deletion of data',
                'verbose_name_plural': 'deletions of data',
                'ordering': ['-started_at'],
                'constraints': [
                    models.UniqueConstraint(fields=('incident', 'step'), name='one_deletion_of_each_step'),
                    models.CheckConstraint(condition=models.Q(('key_digest__regex', '^[0-9a-f]{64}$')), name='deletion_names_its_key'),
                ],
            },
        ),
        run_sql(SQL / 'proof.sql'),
        run_sql(SQL / 'factchange.sql'),
        run_sql(SQL / 'writeoff.sql'),
        run_sql(SQL / 'exposurebatch.sql'),
        run_sql(SQL / 'batchwithdrawal.sql'),
        run_sql(SQL / 'shredding.sql'),
        run_sql(SQL / 'retention.sql'),
        run_sql(SQL / 'purge.sql'),
        run_sql(SQL / 'reveal.sql'),
        run_sql(SQL / 'personmark.sql'),
        run_sql(SQL / 'addresschange.sql'),
        migrations.RunPython(add_data_classes, migrations.RunPython.noop),
        run_sql(SQL / 'audit.sql'),
    ])
