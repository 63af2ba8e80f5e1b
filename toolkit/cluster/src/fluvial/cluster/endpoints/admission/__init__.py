"""Admission by others: webhooks that are called, and policies in CEL.

`Chain` is what the endpoints ask; what it asks in turn is read from the store. The order is
upstream's: mutating policies, then mutating webhooks (and both again where something changed,
`rounds`), then the object is prepared and validated, then validating policies, then validating
webhooks all at once. The plugins that are compiled into an
API server are in `fluvial.cluster.endpoints.lifecycle` and the kinds' own rules.
"""
