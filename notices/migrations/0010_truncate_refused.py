"""Nor can what is published be emptied away: TRUNCATE fires no row trigger, so it has its own.

Refused only while something published is there. Whoever may TRUNCATE but does not own the tables
cannot get past it; the owner could drop it, which is why the portal's account should not be the
owner (docs/running.md).
"""

from django.db import migrations

TABLES = [
    "notices_statement",
    "notices_statementversion",
    "notices_section",
    "notices_advisory",
    "notices_dutywaiver",
]
CREATE = """
CREATE FUNCTION notices_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM notices_statementversion WHERE state = 'published') THEN
        PERFORM notices_refuse_change('part of ' || TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER published_is_not_truncated BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION notices_refuse_truncate();
"""
    for table in TABLES
)
DROP = (
    "".join(f"DROP TRIGGER published_is_not_truncated ON {table};\n" for table in TABLES)
    + "DROP FUNCTION notices_refuse_truncate();"
)


class Migration(migrations.Migration):
    dependencies = [("notices", "0009_regulators")]
    operations = [migrations.RunSQL(CREATE, DROP)]
