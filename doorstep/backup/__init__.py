"""Backups that were restored once before anybody relies on them, and the way back (docs/adr/0009-backups.md)."""
