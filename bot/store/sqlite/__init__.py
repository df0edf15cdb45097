"""The database file: connection, transactions, migrations, copies and checks."""
