"""The tables of Doorward in a Django project, the same as under Alembic."""
