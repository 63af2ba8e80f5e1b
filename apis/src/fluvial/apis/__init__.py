"""The Flux and Flagger kinds as typed models, and the CRDs generated from them."""
