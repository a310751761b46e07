"""The providers as payments meet them: which is asked, how it is asked, and when it is left alone."""
