"""How packets find the other clusters: routers, their sessions, and the routes of gateways."""
