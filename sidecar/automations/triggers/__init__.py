"""What makes people enter automations: one small module a trigger, each reading what is new from where it stood. May import what
`automations` may. Start with `registry`."""
