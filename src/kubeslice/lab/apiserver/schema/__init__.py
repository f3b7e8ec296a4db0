"""What objects of each kind look like: built-in kinds from the published models, custom ones from their definitions.

The REST side asks `builtin.builtin_schema` and `custom.compile_schema` for a `TypeSchema` of each kind, `definition`
whether a CustomResourceDefinition may be stored, and `openapi` for the documents that clients read.
"""
