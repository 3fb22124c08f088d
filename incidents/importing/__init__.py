"""Imports a company's dumps: who is affected, and what leaked of them. Begin with `loading`."""
