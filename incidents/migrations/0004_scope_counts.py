"""Kept counts of people; and the database's own look at a batch that is being closed.

The trigger is the last of three: `importing.close_batch` refuses in words, a constraint on each
file asks that its rows add up, and this refuses whoever closes by another way.
"""

import django.db.models.deletion
from django.db import migrations, models

CREATE = """
CREATE FUNCTION incidents_batch_closes_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
BEGIN
    SELECT string_agg(name, ', ' ORDER BY id) INTO wrong FROM incidents_exposurefile
    WHERE batch_id = NEW.id AND (
        state = 'loading' OR state = 'loaded' AND rows_read <> rows_taken + rows_rejected
    );
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'batch % cannot be closed: % not loaded whole', NEW.id, wrong
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT EXISTS (
        SELECT FROM incidents_exposurefile WHERE batch_id = NEW.id AND state = 'loaded'
    ) THEN
        RAISE EXCEPTION 'batch % cannot be closed: no file of it is loaded', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_closes_whole BEFORE UPDATE OF state ON incidents_exposurebatch
    FOR EACH ROW WHEN (NEW.state = 'closed' AND OLD.state <> 'closed')
    EXECUTE FUNCTION incidents_batch_closes_whole();
"""
DROP = """
DROP TRIGGER batch_closes_whole ON incidents_exposurebatch;
DROP FUNCTION incidents_batch_closes_whole();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('incidents', '0003_jurisdictions'),
    ]

    operations = [
        migrations.AddField(
            model_name='exposurebatch',
            name='counted_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='counted'),
        ),
        migrations.CreateModel(
            name='ScopeCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('relation', models.SmallIntegerField(choices=[(1, 'member'), (2, 'former member'), (3, 'recipient')], verbose_name='relation')),
                ('language', models.CharField(choices=[('ko', '한국어'), ('en', 'English')], max_length=2, verbose_name='language')),
                ('people', models.PositiveBigIntegerField(verbose_name='people')),
                ('batch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='incidents.exposurebatch', verbose_name='exposure batch')),
                ('data_class', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='incidents.dataclass', verbose_name='data class')),
                ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='scope_counts', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'count of people',
                'verbose_name_plural': 'counts of people',
                'constraints': [models.UniqueConstraint(fields=('incident', 'batch', 'relation', 'language', 'data_class'), name='people_counted_once', nulls_distinct=False)],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
