"""The files banks and providers exchange: payment orders, status reports, statements, settlement tables."""
