"""Who may say what: tokens, links, sessions, on the real database."""
