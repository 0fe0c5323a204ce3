"""Pure decisions and closed vocabularies: no Flask, no SQLAlchemy, no clock, no input or output."""
