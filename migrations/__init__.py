"""Alembic migrations. They import nothing from the application and run beside the previous release."""
