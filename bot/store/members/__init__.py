"""Members and servers: quota, blocks, decisions of admins, and own settings."""
