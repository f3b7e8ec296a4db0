"""What kube-apiserver checks by hand for built-in kinds: a module for each family of kinds, and a catalog."""
