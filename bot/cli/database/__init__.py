"""`easel db`: care for the database, and the data of one person."""
