"""The accounts of the response team: roles, invitations, sessions and their idle end."""
