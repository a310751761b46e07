"""The gateway's SQL, one module a table or a transaction. Only services and deps open it."""
