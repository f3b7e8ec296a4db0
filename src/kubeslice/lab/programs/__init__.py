"""Small programs that lab images stand for."""
