"""The bot process on its computer: logs, folders, health, service manager and login."""
