"""Who owns which field: FieldsV1 sets, `managedFields` and server-side apply, after structured-merge-diff."""
