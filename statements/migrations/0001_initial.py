"""The tables of the statements, and what the database itself holds them to.

The functions and triggers are in sql/, a file a table.
"""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import foundations.languages
import foundations.localized_fields

from foundations.migration_models import created_together
from foundations.migration_sql import run_sql

SQL = Path(__file__).parent / 'sql'


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('incidents', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = created_together([
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('apology', 'Apology'), ('notice', 'Notice'), ('update', 'Update'), ('faq', 'Questions and answers'), ('advisory', 'Advisory')], max_length=8, verbose_name='kind')),
                ('slug', models.SlugField(help_text='Part of its web address.', verbose_name='slug')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='incidents.incident', verbose_name='incident')),
                ('editors', models.ManyToManyField(editable=False, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='edited by')),
            ],
            options={
                'verbose_name': 'statement',
                'verbose_name_plural': 'statements',
                'ordering': ['incident', 'created_at'],
                'constraints': [models.UniqueConstraint(fields=('incident', 'slug'), name='statement_slug_once')],
            },
        ),
        migrations.CreateModel(
            name='Advisory',
            fields=[
                ('issuer', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, max_length=200, verbose_name='issuer')),
                ('issued_on', models.DateField(verbose_name='issued on')),
                ('original_url', models.URLField(blank=True, verbose_name='original')),
                ('hotline', models.CharField(blank=True, max_length=50, verbose_name='hotline')),
                ('severity', models.SmallIntegerField(choices=[(1, 'information'), (2, 'important'), (3, 'urgent')], verbose_name='severity')),
                ('statement', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='advisory', serialize=False, to='statements.statement')),
            ],
            options={
                'verbose_name': 'advisory',
                'verbose_name_plural': 'advisories',
            },
        ),
        migrations.CreateModel(
            name='StatementVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='version')),
                ('state', models.CharField(choices=[('draft', 'draft'), ('published', 'published')], default='draft', max_length=9, verbose_name='state')),
                ('title', foundations.localized_fields.LocalizedTextField(blank=True, default=foundations.languages.LocalizedText, max_length=200, verbose_name='title')),
                ('change_reason', foundations.localized_fields.LocalizedTextField(blank=True, default=foundations.languages.LocalizedText, help_text='From the second version on.', is_long=True, verbose_name='why it changed')),
                ('display_until', models.DateField(help_text='At least 30 days from publication.', verbose_name='shown at least until')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('published_at', models.DateTimeField(editable=False, null=True, verbose_name='published')),
                ('class_states', models.JSONField(default=list, editable=False)),
                ('previous_hash', models.CharField(blank=True, editable=False, max_length=64)),
                ('hash', models.CharField(blank=True, editable=False, max_length=64, verbose_name='SHA-256')),
                ('statement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='statements.statement', verbose_name='statement')),
                ('created_by', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
                ('approved_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
                ('editors', models.ManyToManyField(editable=False, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='edited by')),
            ],
            options={
                'verbose_name': 'statement version',
                'verbose_name_plural': 'statement versions',
                'ordering': ['statement', 'number'],
                'permissions': [('publish_statementversion', 'Can publish a statement version')],
                'constraints': [
                    models.UniqueConstraint(fields=('statement', 'number'), name='version_number_once'),
                    models.UniqueConstraint(condition=models.Q(('state', 'draft')), fields=('statement',), name='one_draft_a_statement'),
                    models.CheckConstraint(condition=models.Q(models.Q(('hash', ''), ('published_at__isnull', True), ('state', 'draft')), models.Q(('approved_by__isnull', False), ('published_at__isnull', False), ('state', 'published'), models.Q(('hash', ''), _negated=True)), _connector='OR'), name='published_is_approved_and_hashed'),
                    models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('approved_by', models.F('created_by')), _negated=True), _connector='OR'), name='published_by_a_second_person'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Section',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(choices=[('apology', 'Our apology'), ('data_items', 'What leaked'), ('when_and_how', 'When and how it happened'), ('likely_consequences', 'What this can lead to'), ('self_protection_steps', 'What you can do'), ('measures_taken', 'What we are doing'), ('response_and_remedy_procedure', 'How we respond and help'), ('rights_and_remedies', 'Your rights'), ('department_and_contact', 'Whom to ask'), ('not_known_yet', 'What we do not know yet'), ('body', 'Text')], max_length=30, verbose_name='section')),
                ('position', models.PositiveSmallIntegerField(verbose_name='position')),
                ('basis', models.CharField(choices=[('confirmed', 'Confirmed'), ('company', 'Reported by the company'), ('investigation', 'Under investigation'), ('allegation', 'An allegation, not confirmed')], default='company', max_length=13, verbose_name='basis')),
                ('heading', foundations.localized_fields.LocalizedTextField(blank=True, default=foundations.languages.LocalizedText, max_length=200, verbose_name='heading')),
                ('body', foundations.localized_fields.LocalizedTextField(blank=True, default=foundations.languages.LocalizedText, help_text='**bold**, “- ” before each item of a list, [words](https://address) for a link', is_long=True, verbose_name='text')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sections', to='statements.statementversion', verbose_name='statement version')),
            ],
            options={
                'verbose_name': 'section',
                'verbose_name_plural': 'sections',
                'ordering': ['version', 'position'],
                'constraints': [models.UniqueConstraint(fields=('version', 'position'), name='section_position_once')],
            },
        ),
        migrations.CreateModel(
            name='DutyWaiver',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(max_length=60, verbose_name='duty or rule')),
                ('reason', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, is_long=True, verbose_name='reason')),
                ('waived_at', models.DateTimeField(auto_now_add=True, verbose_name='waived')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='waivers', to='statements.statementversion', verbose_name='statement version')),
                ('waived_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='waived by')),
            ],
            options={
                'verbose_name': 'waiver',
                'verbose_name_plural': 'waivers',
                'ordering': ['version', 'rule'],
                'constraints': [
                    models.UniqueConstraint(fields=('version', 'rule'), name='rule_waived_once'),
                    models.CheckConstraint(condition=models.Q(('reason', {}), _negated=True), name='waiver_has_a_reason'),
                ],
            },
        ),
        migrations.CreateModel(
            name='WithdrawnWaiver',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule', models.CharField(max_length=60, verbose_name='duty or rule')),
                ('reason', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, is_long=True, verbose_name='reason')),
                ('waived_at', models.DateTimeField(verbose_name='waived')),
                ('withdrawn_at', models.DateTimeField(auto_now_add=True, verbose_name='withdrawn')),
                ('withdrawn_reason', models.TextField(verbose_name='reason for the withdrawal')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='withdrawn_waivers', to='statements.statementversion', verbose_name='statement version')),
                ('waived_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='waived by')),
                ('withdrawn_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='withdrawn by')),
            ],
            options={
                'verbose_name': 'withdrawn waiver',
                'verbose_name_plural': 'withdrawn waivers',
                'ordering': ['version', 'withdrawn_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('withdrawn_reason', ''), _negated=True), name='waiver_withdrawn_with_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='TimelineEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('happened_on', models.DateField(verbose_name='date')),
                ('text', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, is_long=True, verbose_name='text')),
                ('basis', models.CharField(choices=[('confirmed', 'Confirmed'), ('company', 'Reported by the company'), ('investigation', 'Under investigation'), ('allegation', 'An allegation, not confirmed')], max_length=13, verbose_name='basis')),
                ('source', foundations.localized_fields.LocalizedTextField(blank=True, default=foundations.languages.LocalizedText, max_length=200, verbose_name='source')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='timeline', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'timeline entry',
                'verbose_name_plural': 'timeline entries',
                'ordering': ['happened_on', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='DutyConfirmation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('duty', models.CharField(max_length=60, verbose_name='duty')),
                ('verdict', models.CharField(choices=[('met', 'it is met'), ('applies', 'it applies'), ('not_applicable', 'it does not apply')], max_length=14, verbose_name='verdict')),
                ('met_at', models.DateTimeField(blank=True, null=True, verbose_name='met on')),
                ('evidence', models.TextField(verbose_name='evidence')),
                ('confirmed_at', models.DateTimeField(auto_now_add=True, verbose_name='confirmed')),
                ('withdrawn_at', models.DateTimeField(null=True, verbose_name='withdrawn')),
                ('withdrawn_reason', models.TextField(blank=True, verbose_name='reason for the withdrawal')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='confirmations', to='incidents.incident', verbose_name='incident')),
                ('confirmed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='confirmed by')),
                ('withdrawn_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='withdrawn by')),
            ],
            options={
                'verbose_name': 'confirmation of a duty',
                'verbose_name_plural': 'confirmations of duties',
                'ordering': ['-confirmed_at'],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('incident', 'duty'), name='one_live_confirmation'),
                    models.CheckConstraint(condition=models.Q(models.Q(('met_at__isnull', False), ('verdict', 'met')), models.Q(models.Q(('verdict', 'met'), _negated=True), ('met_at__isnull', True)), _connector='OR'), name='met_at_a_time'),
                    models.CheckConstraint(condition=models.Q(('evidence', ''), _negated=True), name='confirmed_with_evidence'),
                    models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_at__isnull', True), ('withdrawn_by__isnull', True)), models.Q(('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False), models.Q(('withdrawn_reason', ''), _negated=True)), _connector='OR'), name='withdrawn_with_a_reason'),
                ],
            },
        ),
        migrations.CreateModel(
            name='RegulatorReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('duty', models.CharField(max_length=60, verbose_name='duty')),
                ('form', models.CharField(choices=[('pipc', 'leak report to the PIPC or KISA (Korean)'), ('gdpr', 'notification under GDPR Article 33 (English)'), ('other', 'another report, without a prepared text')], max_length=5, verbose_name='form')),
                ('authority', models.CharField(max_length=200, verbose_name='authority')),
                ('number', models.PositiveSmallIntegerField(default=1, editable=False, verbose_name='number')),
                ('state', models.CharField(choices=[('draft', 'draft'), ('filed', 'filed')], default='draft', editable=False, max_length=5, verbose_name='state')),
                ('text', models.TextField(help_text='A line that begins with ## is a heading.', verbose_name='text')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('filed_at', models.DateTimeField(editable=False, null=True, verbose_name='filed on')),
                ('reference', models.CharField(blank=True, editable=False, max_length=200, verbose_name="the authority's reference number")),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='incidents.incident', verbose_name='incident')),
                ('supplements', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='supplemented_by', to='statements.regulatorreport', verbose_name='supplements')),
                ('created_by', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
                ('filed_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='filed by')),
            ],
            options={
                'verbose_name': 'report to an authority',
                'verbose_name_plural': 'reports to authorities',
                'ordering': ['incident', 'duty', 'number'],
                'permissions': [('file_regulatorreport', 'Can record a report as filed')],
                'constraints': [
                    models.UniqueConstraint(fields=('supplements', 'number'), name='supplement_number_once'),
                    models.CheckConstraint(condition=models.Q(models.Q(('number', 1), ('supplements__isnull', True)), models.Q(('number__gt', 1), ('supplements__isnull', False)), _connector='OR'), name='supplements_follow_a_first_report'),
                    models.CheckConstraint(condition=models.Q(models.Q(('filed_at__isnull', True), ('filed_by__isnull', True), ('state', 'draft')), models.Q(('filed_at__isnull', False), ('filed_by__isnull', False), ('state', 'filed'), models.Q(('text', ''), _negated=True)), _connector='OR'), name='filed_at_a_time_by_somebody'),
                ],
            },
        ),
        run_sql(SQL / 'published.sql'),
        run_sql(SQL / 'statement.sql'),
        run_sql(SQL / 'statementversion.sql'),
        run_sql(SQL / 'section.sql'),
        run_sql(SQL / 'advisory.sql'),
        run_sql(SQL / 'waiver.sql'),
        run_sql(SQL / 'dutyconfirmation.sql'),
        run_sql(SQL / 'regulatorreport.sql'),
        run_sql(SQL / 'audit.sql'),
    ])
