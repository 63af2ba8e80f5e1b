"""Conversion of custom resources by the webhook that their definition names.

`review` makes a `ConversionReview` and reads its answer, free of I/O; `Conversions` calls the
webhook. Same as upstream, `k8s.io/apiextensions-apiserver/pkg/apiserver/conversion`. Versions of a
definition without a webhook differ in `apiVersion` only (`fluvial.cluster.builtin.conversion`).
"""
