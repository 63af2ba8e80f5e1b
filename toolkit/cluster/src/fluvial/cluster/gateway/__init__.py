"""A gateway for the embedded control plane: a real Envoy, programmed from Gateway API objects.

`controller.Gateways` follows GatewayClass, Gateway, HTTPRoute, Service and EndpointSlice like the
other stand-ins, and writes Envoy's configuration as files that Envoy watches.

- It serves every GatewayClass whose `controllerName` is `fluvial.dev/gateway`.
- Each Gateway has an address of its own in 127.0.0.0/8 (`status.addresses`), and listens there on
  the ports of its listeners; protocol HTTP only.
- **Envoy's cluster of a backend is `<namespace>_<service>_<port>`**, such as `shop_web-canary_80`.
  This is the value of the label `envoy_cluster_name` in Envoy's metrics, which are served in
  Prometheus' format at `/stats/prometheus` of the admin address (`Gateways.admin`).
- What a route asks for and this gateway cannot do makes the route `Accepted: False` with the field
  in the message; a backend that cannot be used makes it `ResolvedRefs: False`, and its share of
  requests is answered 500. A backend without ready endpoints is answered 503.
- There are no ReferenceGrants: a backend in another namespace is refused.

Paths are compared in the order exact, regular expression, longest prefix; then by method, number of
headers and of query parameters; then the older route first.

Errors: the tree is drawn in `errors`.
"""
