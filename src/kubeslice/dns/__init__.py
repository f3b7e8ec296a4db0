"""KubeSlice DNS: keeps a name server beside itself and the cluster's zone in it up to date."""
