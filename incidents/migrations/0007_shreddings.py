"""The record of who shredded an incident's data: the database keeps it as it was."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

CREATE = """
CREATE FUNCTION incidents_shredding_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.done_at IS NOT NULL AND (TG_OP = 'DELETE' OR
        (NEW.incident_id, NEW.asked_by_id, NEW.asked_at, NEW.done_by_id, NEW.done_at,
            NEW.data_fingerprint, NEW.index_fingerprint)
        IS DISTINCT FROM (OLD.incident_id, OLD.asked_by_id, OLD.asked_at, OLD.done_by_id,
            OLD.done_at, OLD.data_fingerprint, OLD.index_fingerprint)) THEN
        RAISE EXCEPTION 'the shredding of incident % is on record', OLD.incident_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER shredding_stays BEFORE UPDATE OR DELETE ON incidents_shredding
    FOR EACH ROW EXECUTE FUNCTION incidents_shredding_stays();
"""
DROP = """
DROP TRIGGER shredding_stays ON incidents_shredding;
DROP FUNCTION incidents_shredding_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('incidents', '0006_reseals'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Shredding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField(null=True, verbose_name='asked')),
                ('done_at', models.DateTimeField(null=True, verbose_name='shredded')),
                ('data_fingerprint', models.CharField(max_length=64, verbose_name='fingerprint of the data keyset')),
                ('index_fingerprint', models.CharField(max_length=64, verbose_name='fingerprint of the index keyset')),
                ('position', models.UUIDField(editable=False, null=True)),
                ('people', models.PositiveBigIntegerField(default=0, verbose_name='people purged')),
                ('exposures', models.PositiveBigIntegerField(default=0, verbose_name='exposures purged')),
                ('purged_at', models.DateTimeField(null=True, verbose_name='purged')),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked by')),
                ('done_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='shredded by')),
                ('incident', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='shredding', to='incidents.incident', verbose_name='incident')),
            ],
            options={
                'verbose_name': 'shredding',
                'verbose_name_plural': 'shreddings',
                'constraints': [models.CheckConstraint(condition=models.Q(('done_at__isnull', True), models.Q(('data_fingerprint__regex', '^[0-9a-f]{64}$'), ('index_fingerprint__regex', '^[0-9a-f]{64}$')), _connector='OR'), name='shredding_says_what'), models.CheckConstraint(condition=models.Q(('done_by__isnull', True), models.Q(('done_by', models.F('asked_by')), _negated=True), _connector='OR'), name='shredding_takes_two')],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
