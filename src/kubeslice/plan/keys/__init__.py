"""Keys and certificates of gateways: which there are, who may know them, when they are renewed."""
