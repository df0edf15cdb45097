"""The link between the bot and its hosts: a NATS server to which both connect."""
