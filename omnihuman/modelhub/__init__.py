"""The model-management layer of both packages: registry, verified files, a memory pool, leases."""
