"""Where models come from and how they are kept: catalog, store on disk, checkpoint reader, conversion, residency."""
