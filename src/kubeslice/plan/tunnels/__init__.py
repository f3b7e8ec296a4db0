"""Tunnels between clusters: which there shall be, what their engines are told, how they do."""
