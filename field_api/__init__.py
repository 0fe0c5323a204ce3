"""The agency's office: accounts, planning, sheets, letters, the disclosure rule and the office HTTP API."""
