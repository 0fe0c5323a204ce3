"""A phone's working day from a script: docs/phone-script.md. Used by `doorstep phone day`, the demo and load runs."""
