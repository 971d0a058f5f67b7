"""Messages: from a step's text and a person to what is sent. Start with `context`, then `render`."""
