"""What the gateway can do: one verb a module, each owning its transaction."""
