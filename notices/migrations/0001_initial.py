"""The tables of the notices app, and their constraints, triggers and storage settings.

The triggers and storage settings are in sql/, one file for each table.
"""

import uuid
from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import foundations.languages

from foundations.migration_models import created_together
from foundations.migration_sql import run_sql

# The number of deliveries of a notice with an end state.
ENDED = (
    models.F('accepted')
    + models.F('bounced')
    + models.F('suppressed')
    + models.F('unreachable')
    + models.F('in_doubt')
    + models.F('cancelled')
)
SQL = Path(__file__).parent / 'sql'


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('incidents', '0001_initial'),
        ('statements', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = created_together([
        migrations.CreateModel(
            name='AlertNumber',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('chosen_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('phone', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.verifiedphone')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='alert_number', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'number for alerts',
                'verbose_name_plural': 'numbers for alerts',
            },
        ),
        migrations.CreateModel(
            name='AlertSubscription',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('topic', models.CharField(choices=[('updates', 'Updates to this incident'), ('scams', 'New scam warnings'), ('my_data', 'Changes to my own data')], max_length=7, verbose_name='topic')),
                ('subscribed_at', models.DateTimeField(auto_now_add=True, verbose_name='subscribed')),
                ('unsubscribed_at', models.DateTimeField(blank=True, null=True, verbose_name='unsubscribed')),
                ('is_weekly', models.BooleanField(default=False, verbose_name='once a week')),
                ('weekly_until', models.DateTimeField(editable=False, null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='subscriptions', to=settings.AUTH_USER_MODEL, verbose_name='user')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='subscriptions', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'alert subscription',
                'verbose_name_plural': 'alert subscriptions',
                'indexes': [models.Index(condition=models.Q(('unsubscribed_at__isnull', True)), fields=['incident', 'topic', 'id'], name='live_subscriptions')],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('unsubscribed_at__isnull', True)), fields=('user', 'incident', 'topic'), name='one_live_subscription'),
                    models.CheckConstraint(condition=models.Q(('is_weekly', False), ('topic', 'updates'), _connector='OR'), name='only_updates_are_weekly'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('mandatory', 'mandatory: goes to all affected'), ('alert', 'alert: goes to those who opted in')], max_length=9, verbose_name='kind')),
                ('topic', models.CharField(blank=True, choices=[('updates', 'Updates to this incident'), ('scams', 'New scam warnings'), ('my_data', 'Changes to my own data')], max_length=7, verbose_name='topic')),
                ('channel', models.CharField(choices=[('email', 'e-mail'), ('sms', 'text message'), ('push', 'push message')], default='email', max_length=5, verbose_name='channel')),
                ('audience', models.CharField(choices=[('everybody', 'all affected, or all subscribers of the topic'), ('batch', 'those of whom a scope version holds something'), ('earlier', 'those who received an earlier version and not this one'), ('unreached', 'those whom an earlier notice did not reach'), ('test', 'a test: only the addresses typed in'), ('weekly', 'weekly mail: subscribers whom the alerts of the week did not go to')], default='everybody', max_length=9, verbose_name='audience')),
                ('state', models.CharField(choices=[('draft', 'draft'), ('planning', 'approved: it is being prepared'), ('sending', 'sending'), ('paused', 'paused'), ('closed', 'closed: each person has a result'), ('cancelled', 'cancelled')], default='draft', max_length=9, verbose_name='state')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('approved_at', models.DateTimeField(editable=False, null=True, verbose_name='approved')),
                ('returned_because', models.TextField(blank=True, editable=False, verbose_name='returned')),
                ('deadline_at', models.DateTimeField(editable=False, null=True, verbose_name='deadline')),
                ('closed_at', models.DateTimeField(editable=False, null=True, verbose_name='closed')),
                ('begins_at', models.DateTimeField(blank=True, null=True, verbose_name='not sent before')),
                ('confirmed_people', models.PositiveBigIntegerField(editable=False, null=True)),
                ('ramp', models.CharField(choices=[('by_size', 'by size: a large mandatory notice in steps, by itself'), ('none', 'all at once'), ('person', 'in steps: a person lets each go'), ('interval', 'in steps: each goes by itself after a while without trouble')], default='by_size', max_length=8, verbose_name='pace')),
                ('ramp_step', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('ramp_to', models.BigIntegerField(editable=False, null=True)),
                ('ramp_at', models.DateTimeField(editable=False, null=True)),
                ('sending_plan', models.CharField(blank=True, default='', max_length=40, verbose_name='sending plan')),
                ('frozen_plan', models.JSONField(editable=False, null=True)),
                ('replanned_at', models.DateTimeField(editable=False, null=True)),
                ('paused_for', models.CharField(blank=True, choices=[('person', 'A person paused it.'), ('bounces', 'It paused by itself: too many messages bounced.'), ('refused', 'It paused by itself: the server refuses us, not the recipients.'), ('newer', 'It paused before its start: a newer version of its text is published.'), ('hidden', 'It paused before its start: the incident is not public, or its data was deleted.'), ('more', 'It paused by itself: it would go to more people than confirmed or allowed.')], editable=False, max_length=8, verbose_name='why it is paused')),
                ('watched_accepted', models.BigIntegerField(default=0, editable=False)),
                ('watched_bounced', models.BigIntegerField(default=0, editable=False)),
                ('refusals', models.PositiveIntegerField(default=0, editable=False)),
                ('watched_refusals', models.PositiveIntegerField(default=0, editable=False)),
                ('pause_bounce_percent', models.FloatField(editable=False, null=True)),
                ('pause_refusal_percent', models.FloatField(editable=False, null=True)),
                ('pause_complaint_percent', models.FloatField(editable=False, null=True)),
                ('dry_run', models.JSONField(editable=False, null=True)),
                ('dry_run_at', models.DateTimeField(editable=False, null=True)),
                ('dry_run_asked_at', models.DateTimeField(editable=False, null=True)),
                ('problem', models.CharField(blank=True, editable=False, max_length=600, verbose_name='what stands in its way')),
                ('weekly_on', models.DateField(editable=False, null=True, verbose_name='weekly mail of')),
                ('weekly_mail', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='weekly_alerts', to='notices.notice', verbose_name='weekly mail')),
                ('planned_at', models.DateTimeField(editable=False, null=True, verbose_name='planned')),
                ('planned_to', models.UUIDField(editable=False, null=True)),
                ('planned', models.PositiveBigIntegerField(default=0, editable=False, verbose_name='planned')),
                ('accepted', models.BigIntegerField(default=0, editable=False, verbose_name='accepted')),
                ('bounced', models.BigIntegerField(default=0, editable=False, verbose_name='bounced')),
                ('suppressed', models.BigIntegerField(default=0, editable=False, verbose_name='suppressed')),
                ('unreachable', models.BigIntegerField(default=0, editable=False, verbose_name='unreachable')),
                ('in_doubt', models.BigIntegerField(default=0, editable=False, verbose_name='in doubt')),
                ('cancelled', models.BigIntegerField(default=0, editable=False, verbose_name='cancelled')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='incidents.incident', verbose_name='incident')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='statements.statementversion', verbose_name='statement version')),
                ('batch', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.exposurebatch', verbose_name='scope version')),
                ('follows', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='followed_by', to='notices.notice', verbose_name='the notice that did not reach them')),
                ('created_by', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='created by')),
                ('approved_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
            ],
            options={
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices',
                'ordering': ['-created_at'],
                'permissions': [('approve_notice', 'Can approve, pause and cancel notices'), ('pause_notice', 'Can pause notices'), ('export_proof', 'Can export who was told, and who was not reached'), ('open_contacts', 'Can export names and addresses, opened')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('kind', 'mandatory'), ('topic', '')), models.Q(('kind', 'alert'), models.Q(('topic', ''), _negated=True)), _connector='OR'), name='alerts_have_a_topic'),
                    models.CheckConstraint(condition=models.Q(models.Q(('kind', 'mandatory'), models.Q(('audience', 'weekly'), _negated=True)), models.Q(('audience__in', ['everybody', 'test', 'weekly']), ('kind', 'alert')), _connector='OR'), name='alerts_go_to_subscribers'),
                    models.CheckConstraint(condition=models.Q(models.Q(('audience', 'weekly'), ('topic', 'updates'), ('weekly_on__isnull', False)), models.Q(models.Q(('audience', 'weekly'), _negated=True), ('weekly_on__isnull', True)), _connector='OR'), name='weekly_mail_has_its_day'),
                    models.UniqueConstraint(fields=('incident', 'weekly_on'), name='one_weekly_mail_a_week'),
                    models.CheckConstraint(condition=models.Q(('channel', 'email'), models.Q(('channel', 'sms'), models.Q(('audience', 'weekly'), _negated=True)), models.Q(('audience__in', ['everybody', 'test']), ('channel', 'push'), ('kind', 'alert')), _connector='OR'), name='channel_fits_the_kind'),
                    models.CheckConstraint(condition=models.Q(models.Q(('audience', 'batch'), ('batch__isnull', False)), models.Q(models.Q(('audience', 'batch'), _negated=True), ('batch__isnull', True)), _connector='OR'), name='audience_names_its_batch'),
                    models.CheckConstraint(condition=models.Q(models.Q(('audience', 'unreached'), ('follows__isnull', False)), models.Q(models.Q(('audience', 'unreached'), _negated=True), ('follows__isnull', True)), _connector='OR'), name='audience_names_its_notice'),
                    models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), ('audience', 'test'), models.Q(('approved_by', models.F('created_by')), _negated=True), _connector='OR'), name='notice_approved_by_a_second_person'),
                    models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'cancelled']), models.Q(('approved_at__isnull', False), ('approved_by__isnull', False)), _connector='OR'), name='sending_is_approved'),
                    models.CheckConstraint(condition=models.Q(('planned__gte', ENDED)), name='never_more_than_planned'),
                    models.CheckConstraint(condition=models.Q(models.Q(('state', 'closed'), _negated=True), ('planned', ENDED), _connector='OR'), name='closed_adds_up'),
                ],
            },
        ),
        migrations.CreateModel(
            name='NoticeMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=foundations.languages.portal_languages, max_length=12, verbose_name='language')),
                ('is_for_shared_contact', models.BooleanField(default=False, editable=False)),
                ('marker', models.CharField(editable=False, max_length=40)),
                ('mime', models.BinaryField()),
                ('slot_texts', models.JSONField(editable=False)),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='notices.notice', verbose_name='notice')),
            ],
            options={
                'verbose_name': 'message',
                'verbose_name_plural': 'messages',
                'constraints': [models.UniqueConstraint(fields=('notice', 'language', 'is_for_shared_contact'), name='one_message_a_language')],
            },
        ),
        migrations.CreateModel(
            name='PushSubscription',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('endpoint_index', models.UUIDField(editable=False, unique=True)),
                ('address', models.BinaryField()),
                ('subscribed_at', models.DateTimeField(auto_now_add=True, verbose_name='subscribed')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='push_subscriptions', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'push subscription',
                'verbose_name_plural': 'push subscriptions',
            },
        ),
        migrations.CreateModel(
            name='TestAddress',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('language', models.CharField(choices=foundations.languages.portal_languages, max_length=12, verbose_name='language')),
                ('contact', models.BinaryField()),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='test_addresses', to='notices.notice', verbose_name='notice')),
            ],
            options={
                'verbose_name': 'test address',
                'verbose_name_plural': 'test addresses',
            },
        ),
        migrations.CreateModel(
            name='Chunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first', models.UUIDField()),
                ('last', models.UUIDField()),
                ('people', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('due', 'due'), ('leased', 'leased'), ('done', 'done')], default='due', max_length=6)),
                ('leased_until', models.DateTimeField(null=True)),
                ('fencing_token', models.PositiveIntegerField(default=0)),
                ('not_before', models.DateTimeField(null=True)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('on_wire', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('accepted', models.IntegerField(default=0)),
                ('bounced', models.IntegerField(default=0)),
                ('suppressed', models.IntegerField(default=0)),
                ('unreachable', models.IntegerField(default=0)),
                ('in_doubt', models.IntegerField(default=0)),
                ('cancelled', models.IntegerField(default=0)),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='notices.notice', verbose_name='notice')),
            ],
            options={
                'verbose_name': 'chunk',
                'verbose_name_plural': 'chunks',
                'indexes': [
                    models.Index(condition=models.Q(('state', 'due')), fields=['notice', 'id'], name='due_chunks'),
                    models.Index(condition=models.Q(('state', 'leased')), fields=['notice'], name='leased_chunks'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('notice', 'first'), name='chunk_once'),
                    models.CheckConstraint(condition=models.Q(('state', 'leased'), models.Q(('accepted', 0), ('bounced', 0), ('cancelled', 0), ('in_doubt', 0), ('leased_until__isnull', True), ('on_wire', []), ('suppressed', 0), ('unreachable', 0)), _connector='OR'), name='only_a_lease_holds_anything'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recipient', models.UUIDField()),
                ('state', models.CharField(choices=[('pending', 'pending'), ('deferred', 'deferred: will be tried again'), ('accepted', 'accepted by the mail server'), ('bounced', 'bounced'), ('suppressed', 'suppressed'), ('unreachable', 'not reachable over this channel'), ('in_doubt', 'in doubt'), ('cancelled', 'cancelled')], default='pending', max_length=11, verbose_name='state')),
                ('language', models.CharField(choices=foundations.languages.portal_languages, max_length=12, verbose_name='language')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                ('not_before', models.DateTimeField(null=True, verbose_name='not before')),
                ('is_possible_duplicate', models.BooleanField(default=False, verbose_name='possibly sent twice')),
                ('was_refused', models.BooleanField(db_default=False)),
                ('reply', models.CharField(blank=True, max_length=500, verbose_name="the server's reply")),
                ('doubt_cause', models.CharField(blank=True, choices=[('worker_lost', 'The worker stopped while it sent the message.'), ('connection_lost', 'The connection broke after the message was handed over, before the answer came.'), ('server_silent', 'The message was handed over, and no answer came in time.'), ('unclear_answer', 'The answer says neither that the message was taken nor that it was refused.'), ('not_named', 'The answer to a request for several messages does not name this one.'), ('request_failed', 'Our own program failed after the request had begun.')], max_length=15, verbose_name='why it is in doubt')),
                ('ended_at', models.DateTimeField(null=True, verbose_name='ended')),
                ('data_classes', django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), default=list, size=None)),
                ('is_bounced', models.GeneratedField(db_persist=True, expression=models.Q(('state', 'bounced')), output_field=models.BooleanField())),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='notices.notice', verbose_name='notice')),
                ('person', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='deliveries', to='incidents.affectedperson', verbose_name='affected person')),
                ('subscription', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='deliveries', to='notices.alertsubscription', verbose_name='alert subscription')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'indexes': [
                    models.Index(condition=models.Q(('person__isnull', False)), fields=['person'], name='by_person'),
                    models.Index(condition=models.Q(('subscription__isnull', False)), fields=['subscription'], name='by_subscription'),
                    models.Index(condition=models.Q(('was_refused', True)), fields=['notice'], name='refused_rows'),
                    models.Index(condition=models.Q(('is_bounced', True)), fields=['notice'], name='bounced_rows'),
                ],
                'constraints': [
                    models.UniqueConstraint(fields=('notice', 'recipient'), name='one_delivery_a_person'),
                    models.CheckConstraint(condition=models.Q(models.Q(('state', 'in_doubt'), _negated=True), models.Q(('doubt_cause', ''), _negated=True), _connector='OR'), name='doubt_has_a_cause'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('email', 'e-mail'), ('sms', 'text message'), ('push', 'push message')], default='email', max_length=5, verbose_name='channel')),
                ('index', models.UUIDField(editable=False)),
                ('source', models.CharField(choices=[('bounce', 'a server says that the address does not exist'), ('complaint', 'its reader called a message spam'), ('stranger', 'it belongs to another person'), ('request', 'its reader asked for it')], max_length=9, verbose_name='why')),
                ('reason', models.CharField(max_length=500, verbose_name='reason')),
                ('added_at', models.DateTimeField(auto_now_add=True, verbose_name='added')),
                ('applies_until', models.DateTimeField(editable=False, null=True, verbose_name='applies until')),
                ('is_plain', models.BooleanField(db_default=False, editable=False)),
                ('lifted_at', models.DateTimeField(editable=False, null=True, verbose_name='lifted')),
                ('lifted_reason', models.CharField(blank=True, max_length=500, verbose_name='why it was lifted')),
                ('incident', models.ForeignKey(blank=True, db_index=False, help_text='Leave this empty for all incidents.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='suppressions', to='incidents.incident', verbose_name='incident')),
                ('added_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='added by')),
                ('lifted_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='lifted by')),
            ],
            options={
                'verbose_name': 'suppressed address',
                'verbose_name_plural': 'suppressed addresses',
                'ordering': ['-added_at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('index', 'channel', 'incident'), name='suppressed_once', nulls_distinct=False)],
                'indexes': [
                    models.Index(fields=['index'], name='suppressions_of_address'),
                    models.Index(fields=['source', 'id'], name='suppressions_of_source'),
                    models.Index(fields=['channel', 'id'], name='suppressions_of_channel'),
                    models.Index(fields=['incident', 'id'], name='suppressions_of_incident'),
                ],
            },
        ),
        migrations.CreateModel(
            name='LateReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('bounce', 'bounced after the notice was closed'), ('complaint', 'called spam by its reader'), ('unclear', 'not clear whether the address is bad: a person decides')], max_length=9, verbose_name='kind')),
                ('server_reply', models.CharField(blank=True, max_length=500, verbose_name="the server's words")),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='at')),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='late_reports', to='notices.delivery', verbose_name='delivery')),
                ('notice', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='notices.notice', verbose_name='notice')),
            ],
            options={
                'verbose_name': 'late report',
                'verbose_name_plural': 'late reports',
                'constraints': [models.UniqueConstraint(fields=('delivery', 'kind'), name='late_report_once')],
                'indexes': [models.Index(fields=['notice', 'id'], name='late_reports_of_notice'), models.Index(fields=['kind', 'id'], name='late_reports_of_kind')],
            },
        ),
        migrations.CreateModel(
            name='DeliveryReceipt',
            fields=[
                ('delivery', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='receipt', serialize=False, to='notices.delivery', verbose_name='delivery')),
                ('state', models.CharField(choices=[('delivered', 'delivered to the telephone'), ('failed', 'not delivered to the telephone')], max_length=9, verbose_name='state')),
                ('words', models.CharField(blank=True, max_length=500, verbose_name="the gateway's words")),
                ('at', models.DateTimeField(auto_now_add=True, verbose_name='at')),
            ],
            options={
                'verbose_name': 'delivery receipt',
                'verbose_name_plural': 'delivery receipts',
            },
        ),
        migrations.CreateModel(
            name='Letter',
            fields=[
                ('delivery', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='letter', serialize=False, to='notices.delivery', verbose_name='delivery')),
                ('notice', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='notices.notice', verbose_name='notice')),
                ('exported_at', models.DateTimeField(verbose_name='last exported')),
                ('posted_on', models.DateField(null=True, verbose_name='posted')),
                ('returned_on', models.DateField(null=True, verbose_name='returned')),
                ('reason', models.CharField(blank=True, choices=[('moved', 'moved away'), ('unknown', 'not known there'), ('address', 'no such address'), ('refused', 'refused by the recipient'), ('unclaimed', 'not at home, or not collected'), ('other', 'another reason, or none given')], max_length=9, verbose_name='why it was returned')),
            ],
            options={
                'verbose_name': 'letter',
                'verbose_name_plural': 'letters',
                'indexes': [models.Index(fields=['notice', 'posted_on', 'returned_on'], name='letters_of_notice')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('returned_on__isnull', True), models.Q(('posted_on__isnull', False), ('returned_on__gte', models.F('posted_on'))), _connector='OR'), name='returned_letter_was_posted'),
                    models.CheckConstraint(condition=models.Q(models.Q(('reason', ''), ('returned_on__isnull', True)), models.Q(('returned_on__isnull', False), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='returned_letter_has_a_reason'),
                ],
            },
        ),
        migrations.CreateModel(
            name='ReturnedMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('outcome', models.CharField(choices=[('bounced', 'a delivery is now bounced'), ('late', 'recorded beside a closed ledger'), ('complaint', 'a complaint was recorded'), ('known', 'about a delivery that had ended so already'), ('not_final', 'a delay, a relay or an automatic answer'), ('unreadable', 'no report, or a malformed one'), ('unknown', 'to an address that we never gave'), ('early', 'came before the acceptance was recorded; it comes again'), ('aside', 'set aside: it could not be processed')], max_length=10, verbose_name='what became of them')),
                ('number', models.PositiveBigIntegerField(default=0, verbose_name='how many')),
            ],
            options={
                'verbose_name': 'returned mail',
                'verbose_name_plural': 'returned mails',
                'ordering': ['-day', 'outcome'],
                'constraints': [models.UniqueConstraint(fields=('day', 'outcome'), name='one_count_a_day')],
            },
        ),
        migrations.CreateModel(
            name='LedgerDigestPage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('first', models.UUIDField()),
                ('last', models.UUIDField()),
                ('rows', models.PositiveIntegerField()),
                ('states', models.JSONField()),
                ('digest', models.CharField(max_length=64)),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ledger_pages', to='notices.notice')),
            ],
            options={
                'verbose_name': 'page of a ledger',
                'verbose_name_plural': 'pages of a ledger',
                'constraints': [models.UniqueConstraint(fields=('notice', 'number'), name='ledger_page_once')],
            },
        ),
        migrations.CreateModel(
            name='LedgerDigest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rows', models.PositiveBigIntegerField(verbose_name='rows')),
                ('previous', models.CharField(blank=True, max_length=64)),
                ('digest', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('mac', models.CharField(max_length=64)),
                ('digested_at', models.DateTimeField(auto_now_add=True, verbose_name='sealed')),
                ('notice', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='digest', to='notices.notice')),
            ],
            options={
                'verbose_name': 'sealed ledger',
                'verbose_name_plural': 'sealed ledgers',
            },
        ),
        migrations.CreateModel(
            name='Milestone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('first', 'first message accepted'), ('nearly_all', '99 per cent of all messages accepted')], max_length=10, verbose_name='kind')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='milestones', to='notices.notice', verbose_name='notice')),
            ],
            options={
                'verbose_name': 'milestone',
                'verbose_name_plural': 'milestones',
                'constraints': [models.UniqueConstraint(fields=('notice', 'kind'), name='milestone_passed_once')],
            },
        ),
        migrations.CreateModel(
            name='PublicFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('taken_at', models.DateTimeField(verbose_name='taken')),
                ('counts', models.JSONField(editable=False)),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='figures', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'public figures',
                'verbose_name_plural': 'public figures',
                'get_latest_by': 'taken_at',
                'constraints': [models.UniqueConstraint(fields=('incident', 'taken_at'), name='figures_once_a_moment')],
            },
        ),
        migrations.CreateModel(
            name='Certificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lookup', models.UUIDField(editable=False, unique=True)),
                ('language', models.CharField(choices=foundations.languages.portal_languages, max_length=12, verbose_name='language')),
                ('issued_at', models.DateTimeField(editable=False, verbose_name='issued')),
                ('sha256', models.CharField(editable=False, max_length=64, verbose_name='SHA-256')),
                ('ciphertext', models.BinaryField()),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'certificate',
                'verbose_name_plural': 'certificates',
            },
        ),
        migrations.CreateModel(
            name='Destination',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255, verbose_name='destination')),
                ('accepted', models.BigIntegerField(db_default=0)),
                ('bounced', models.BigIntegerField(db_default=0)),
                ('refused', models.BigIntegerField(db_default=0)),
                ('complaints', models.BigIntegerField(db_default=0)),
                ('watched_accepted', models.BigIntegerField(db_default=0)),
                ('watched_bounced', models.BigIntegerField(db_default=0)),
                ('watched_refused', models.BigIntegerField(db_default=0)),
                ('watched_complaints', models.BigIntegerField(db_default=0)),
                ('stopped_at', models.DateTimeField(null=True, verbose_name='stopped')),
                ('stopped_for', models.CharField(choices=[('bounces', 'too many messages bounced'), ('refused', 'it refuses us, not the recipients'), ('complaints', 'too many people called the message spam')], db_default='', max_length=10, verbose_name='reason')),
                ('reply', models.CharField(db_default='', max_length=500, verbose_name="the server's reply")),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='destinations', to='notices.notice', verbose_name='notice')),
            ],
            options={
                'verbose_name': 'destination',
                'verbose_name_plural': 'destinations',
                'indexes': [models.Index(condition=models.Q(('stopped_at__isnull', False)), fields=['notice'], name='stopped_destinations')],
                'constraints': [models.UniqueConstraint(fields=('notice', 'name'), name='one_destination_a_notice')],
            },
        ),
        migrations.CreateModel(
            name='SendingPace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sender', models.CharField(max_length=300)),
                ('plan', models.CharField(max_length=40)),
                ('group', models.CharField(max_length=40)),
                ('step', models.PositiveSmallIntegerField(default=0)),
                ('step_at', models.DateTimeField()),
                ('admitted', models.BigIntegerField(default=0)),
                ('refused_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('sender', 'plan', 'group'), name='one_pace_a_group')],
            },
        ),
        migrations.CreateModel(
            name='NoticeGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.CharField(max_length=40)),
                ('people', models.BigIntegerField(default=0)),
                ('tried', models.BigIntegerField(default=0)),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='groups', to='notices.notice')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('notice', 'group'), name='one_group_a_notice')],
            },
        ),
        migrations.CreateModel(
            name='Resend',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mail_tries', models.PositiveSmallIntegerField(default=0)),
                ('mail_after', models.DateTimeField(null=True)),
                ('asked_at', models.DateTimeField(auto_now_add=True, verbose_name='asked')),
                ('reason', models.CharField(max_length=200, verbose_name='reason')),
                ('sent_at', models.DateTimeField(null=True, verbose_name='accepted')),
                ('refused', models.CharField(blank=True, max_length=500)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by')),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='resends', to='notices.delivery', verbose_name='delivery')),
            ],
            options={
                'verbose_name': 'message sent again',
                'verbose_name_plural': 'messages sent again',
                'default_permissions': ('add', 'view'),
                'indexes': [models.Index(condition=models.Q(('refused', ''), ('sent_at', None)), fields=['id'], name='resends_due'), models.Index(fields=['asked_by', 'asked_at'], name='resends_of_staff')],
                'constraints': [models.CheckConstraint(condition=models.Q(('sent_at', None), ('refused', ''), _connector='OR'), name='resent_or_refused')],
            },
        ),
        run_sql(SQL / 'chunk.sql'),
        run_sql(SQL / 'delivery.sql'),
        run_sql(SQL / 'ledger.sql'),
        run_sql(SQL / 'figures.sql'),
        run_sql(SQL / 'certificate.sql'),
        run_sql(SQL / 'audit.sql'),
    ])
