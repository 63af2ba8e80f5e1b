"""What you import to write a controller."""
