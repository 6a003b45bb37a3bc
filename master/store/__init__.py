"""SQLite with BackupX's own tables, so that one reader serves for this master and the real one.

`schema` says what the tables are, `rows` what a row is, `database` opens files and runs
transactions, and one module an entity holds the statements that touch it.
Statements are plain text with bound parameters: sqlite3 keeps the prepared form of each.
"""
