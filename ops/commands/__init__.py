"""The commands of `mizan`, one module each; `ops.cli` loads the one that is asked for."""
