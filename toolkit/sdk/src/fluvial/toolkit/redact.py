"""Takes credentials out of texts that users, logs and other systems get to see."""

import re

__all__ = ["redact"]

_RULES = (
    # The userinfo of any URL; the whole of it, since a token often stands in the user's place.
    (re.compile(r"(?<=://)[^\s/@'\"<>]+@"), "*****@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}"), r"\1 *****"),
    # Query parameters that carry a signature or token: S3 and Azure SAS, OAuth.
    (
        re.compile(
            r"(?i)([?&](?:sig|x-amz-signature|x-amz-security-token|access_token|token)=)[^&\s'\"]+"
        ),
        r"\1*****",
    ),
    (re.compile(r"AGE-SECRET-KEY-1[A-Z0-9]+"), "*****"),
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        "*****",
    ),
)


def redact(text: str) -> str:
    """Return the text with passwords, tokens, signatures and private keys replaced by `*****`.

    A last line of defence for texts that come from elsewhere; code that knows a secret must not
    put it into a message in the first place.
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
