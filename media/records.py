"""Tables of media, in the schema that the phone door can reach."""
