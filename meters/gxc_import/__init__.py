"""Device files of GXDLMSDirector into the inventory: `uploads` keeps them sealed until they are confirmed, `plan` says what would
become of them, `forms` asks for what they do not say, `apply` does it in one transaction. `meters.gxc` reads them.
"""
