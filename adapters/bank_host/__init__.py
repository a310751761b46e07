"""Our own bank, over its host-to-host file channel: payment orders out, statements in."""
