"""Pure helpers, one noun a file: no I/O, no state but bounded caches, no error but the documented ones.
May import: the standard library, phonenumbers, email-validator (lazily); sidecar.errors, clock, config.
Start with the noun you need: phone email names places money dates text masking php (serialized data)."""
