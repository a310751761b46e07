"""Ways to reach a payer: the console, e-mail by SMTP. Each hands one worded message to one carrier, or says why not."""
