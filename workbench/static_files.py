from whitenoise.storage import CompressedManifestStaticFilesStorage


class CollectedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Hashed, compressed files for a server; `import` lines of our JavaScript modules follow the hashed names."""

    support_js_module_import_aggregation = True
