"""The protobuf encoding of built-in kinds, which typed clients such as `kubectl create` send."""
