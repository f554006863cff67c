"""Each record class has a model with the same table and columns, and Alembic and Django make the same of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections, models

from doorward.core.records import Record, User, columns
from doorward.core.refusals import Misconfigured
from doorward.django.homes import homes_for
from doorward.stores import migrations
from tests.django import databases
from tests.stores.records import RECORDS

KEPT = [kind for kind in RECORDS if kind is not User]


@pytest.mark.parametrize("kind", KEPT)
def test_a_model_has_the_fields_of_its_record(kind: type[Record]) -> None:
    model = homes_for([kind])[kind].model
    fields = {field.attname: field for field in model._meta.get_fields()}
    assert list(fields) == [column.name for column in columns(kind)]
    types = {int: models.BigIntegerField, bool: models.BooleanField}
    for column in columns(kind):
        field = fields[column.name]
        kind_of_text = models.CharField if column.size else models.TextField
        expected = types.get(column.kind) or (kind_of_text if column.kind is str else models.DateTimeField)
        assert type(field) is expected, column.name
        assert (field.null, field.primary_key) == (column.nullable, column.key), column.name
        assert field.unique == (column.unique or column.key), column.name
        assert field.db_index == column.index, column.name
        if column.kind is str and column.size:
            assert field.max_length == column.size, column.name
    assert kind.uniques == ()


def test_no_model_is_without_a_record() -> None:
    tables = {model._meta.db_table for model in apps.get_app_config("doorward").get_models()}
    assert tables == {kind.table for kind in KEPT}


def test_a_record_without_a_model_is_named() -> None:
    class Lost(Record):
        table = "lost"

    with pytest.raises(Misconfigured, match="db_table = 'lost'"):
        homes_for([Lost])


def test_the_migrations_are_complete() -> None:
    call_command("makemigrations", "doorward", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_alembic_and_django_make_the_same_tables(vendor: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    def described(name: str, fill: Callable[[str], None]) -> dict[str, list[tuple[object, ...]]]:
        url = f"sqlite:///{tmp_path}/{name}.db" if vendor == "sqlite" else request.getfixturevalue("fresh_postgres")()
        databases.add("compared", url)
        fill(url)
        connection = connections["compared"]
        with connection.cursor() as cursor:
            found = {
                kind.table: [
                    (column.name, column.null_ok, *_type(connection, column))
                    # By name: columns that a later migration adds come in an order of Django's own.
                    for column in sorted(connection.introspection.get_table_description(cursor, kind.table))
                ]
                for kind in KEPT
            }
        databases.remove("compared")
        return found

    by_django = described("django", lambda url: databases.migrate("compared"))
    by_alembic = described("alembic", migrations.migrate)
    assert by_django == by_alembic


def _type(connection, column) -> tuple[object, ...]:
    name = connection.introspection.get_field_type(column.type_code, column)
    return ("DateTimeField",) if "Date" in str(name) or "timestamp" in str(column.type_code) else (name,)
