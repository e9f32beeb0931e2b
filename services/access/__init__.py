"""Who is asking, and what they may do: tokens, roles, sign-in. Sees the store only."""
