"""Who calls the interface: keys, client credentials and the tokens they give."""
