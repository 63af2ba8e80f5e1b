"""The Flux and Flagger kinds as typed models, and the CRDs generated from them.

`fluvial.apis.kinds` names every kind, `decode` reads an object as its kind's model, `encode`
writes one, and `fluvial.apis.ids` has the identities in which everything else speaks.
"""

from fluvial.apis.decoding import DecodeError, decode, decode_list, encode

__all__ = ["DecodeError", "decode", "decode_list", "encode"]
