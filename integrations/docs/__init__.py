"""The product's manual at /docs/: the files of docs/, rendered, and the reference of the HTTP API."""
