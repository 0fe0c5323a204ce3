"""The ground floor: settings, database, tenancy, keys, sealing, devices, clock, problems. Knows only the domain."""
