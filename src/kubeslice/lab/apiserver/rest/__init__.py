"""The REST interface: from HTTP requests to objects in the store and back."""
