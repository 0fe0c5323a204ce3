"""Tables of sync, in the schema that the phone door can reach."""
