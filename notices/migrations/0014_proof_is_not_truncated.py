"""Nor can proof be emptied away: TRUNCATE fires no row trigger, so each table has one of its own.

Refused while the table holds anything. What proves something is the ledger with its pages, seals
and late reports; certificates, milestones and kept figures; what was confirmed or reported; who shredded
what, or changed the contacts; and the desk's own log, which says who took the ledger out. Purging
deletes and forgets rows, and goes on.
"""

from django.db import migrations

TABLES = [
    "notices_delivery",
    "notices_ledgerpage",
    "notices_ledgerseal",
    "notices_latereport",
    "notices_certificate",
    "notices_milestone",
    "notices_publicfigures",
    "notices_dutyconfirmation",
    "notices_regulatorreport",
    "notices_withdrawnwaiver",
    "incidents_shredding",
    "incidents_contactchange",
    "django_admin_log",
]
CREATE = """
CREATE FUNCTION notices_refuse_truncate_of_proof() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    has_rows boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME)
        INTO has_rows;
    IF has_rows THEN
        RAISE EXCEPTION '% holds proof and cannot be emptied', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER proof_is_not_truncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION notices_refuse_truncate_of_proof();
"""
    for table in TABLES
)
DROP = (
    "".join(f"DROP TRIGGER proof_is_not_truncated ON {table};\n" for table in TABLES)
    + "DROP FUNCTION notices_refuse_truncate_of_proof();"
)


class Migration(migrations.Migration):
    dependencies = [
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("incidents", "0011_batch_changes"),
        ("notices", "0013_seals_and_texts"),
    ]
    operations = [migrations.RunSQL(CREATE, DROP)]
