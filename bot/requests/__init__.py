"""From a member's words to one frozen request; without side effects on Discord or the database."""
