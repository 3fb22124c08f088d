"""The tables of tickets, their messages and the templates of answers."""

import uuid
from pathlib import Path

import django.db.models.deletion
import django.utils.timezone
import foundations.languages
import foundations.localized_fields
import tickets.models
from django.conf import settings
from django.db import migrations, models

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
            name='AnswerTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('kind', models.CharField(blank=True, choices=[('question', 'Question'), ('access', 'Access request'), ('rectification', 'Correction request'), ('erasure', 'Deletion request'), ('objection', 'Objection'), ('complaint', 'Complaint')], help_text='Left empty, it is offered for each kind of ticket.', max_length=13, verbose_name='for')),
                ('text', foundations.localized_fields.LocalizedTextField(default=foundations.languages.LocalizedText, is_long=True, max_length=4000, verbose_name='text')),
            ],
            options={
                'verbose_name': 'answer template',
                'verbose_name_plural': 'answer templates',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(default=tickets.models.new_number, max_length=9, unique=True, verbose_name='number')),
                ('kind', models.CharField(choices=[('question', 'Question'), ('access', 'Access request'), ('rectification', 'Correction request'), ('erasure', 'Deletion request'), ('objection', 'Objection'), ('complaint', 'Complaint')], max_length=13, verbose_name='kind')),
                ('language', models.CharField(max_length=12, verbose_name='language')),
                ('state', models.CharField(choices=[('waiting', 'waits for an answer'), ('answered', 'answered'), ('closed', 'closed')], default='waiting', max_length=8, verbose_name='state')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='received')),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='changed')),
                ('due_on', models.DateField(verbose_name='answer due')),
                ('answered_at', models.DateTimeField(null=True, verbose_name='first answered')),
                ('extended_at', models.DateTimeField(null=True, verbose_name='extended')),
                ('assigned_to', models.ForeignKey(limit_choices_to={'is_staff': True}, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='assigned to')),
                ('incident', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='incidents.incident', verbose_name='incident')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='customer')),
            ],
            options={
                'verbose_name': 'ticket',
                'verbose_name_plural': 'tickets',
                'permissions': [('answer_ticket', 'Can answer and close tickets')],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='TicketMessage',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('customer', 'from the customer'), ('answer', 'answer'), ('extended', 'more time needed'), ('note', 'internal note')], max_length=8, verbose_name='kind')),
                ('sent_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='sent')),
                ('ciphertext', models.BinaryField()),
                ('mailed_at', models.DateTimeField(null=True, verbose_name='mail sent')),
                ('mail_tries', models.PositiveSmallIntegerField(default=0)),
                ('mail_after', models.DateTimeField(null=True)),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='tickets.ticket', verbose_name='ticket')),
                ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='written by')),
            ],
            options={
                'verbose_name': 'message of a ticket',
                'verbose_name_plural': 'messages of tickets',
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(fields=['state', 'due_on', 'id'], name='ticket_queue'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(fields=['incident', 'state', 'due_on', 'id'], name='ticket_queue_of_incident'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(condition=models.Q(('assigned_to__isnull', False)), fields=['assigned_to', 'state', 'due_on', 'id'], name='ticket_queue_of_person'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(fields=['user', '-changed_at'], name='ticket_of_user'),
        ),
        migrations.AddIndex(
            model_name='ticketmessage',
            index=models.Index(fields=['ticket', 'sent_at'], name='messages_of_ticket'),
        ),
        migrations.AddIndex(
            model_name='ticketmessage',
            index=models.Index(condition=models.Q(('kind__in', ['answer', 'extended']), ('mailed_at__isnull', True)), fields=['sent_at'], name='ticket_mails_due'),
        ),
        migrations.AddConstraint(
            model_name='ticketmessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'customer'), ('written_by__isnull', True)), models.Q(('kind__in', ['answer', 'extended', 'note']), ('written_by__isnull', False)), _connector='OR'), name='ticket_message_has_a_writer'),
        ),
        run_sql(SQL / 'ticket.sql'),
        run_sql(SQL / 'audit.sql'),
    ])
