"""What comes back after a message was taken: bounces and complaints, and who is not written to."""
