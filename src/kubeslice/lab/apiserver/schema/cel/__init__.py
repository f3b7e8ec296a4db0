"""CEL, the language of validation rules and webhook conditions: a C++ engine with the functions Kubernetes adds."""
