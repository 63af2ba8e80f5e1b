"""The API over HTTPS: paths, media types, bodies, discovery, OpenAPI, tables, watches."""
