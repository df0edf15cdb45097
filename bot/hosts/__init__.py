"""The owner's side of GPU hosts: who is invited, with which keys, and the configuration of their NATS server."""
