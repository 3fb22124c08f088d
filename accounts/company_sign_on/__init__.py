"""Sign-in with an account of the company's OpenID Connect provider. See decision 0063."""
