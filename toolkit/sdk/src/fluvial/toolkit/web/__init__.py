"""Downloads from servers that we do not run: bounded, and credentials stay with their host.

```python
async with WebClient(authorization=basic("me", "secret")) as web:
    answer = await web.get("https://charts.example.com/index.yaml", largest=50 << 20)
```

Every call has a deadline and a size that it may not exceed. A redirect is followed, but what
proves who we are goes to the scheme, host and port that was asked for, and to no other.
"""

from fluvial.toolkit.web._errors import (
    AnswerTooLarge,
    Refused,
    Unreachable,
    UrlInvalid,
    WebError,
)
from fluvial.toolkit.web.client import Answer, WebClient, basic
from fluvial.toolkit.web.urls import origin, resolve, same_origin, same_url, shown, split

__all__ = [
    "Answer",
    "AnswerTooLarge",
    "Refused",
    "Unreachable",
    "UrlInvalid",
    "WebClient",
    "WebError",
    "basic",
    "origin",
    "resolve",
    "same_origin",
    "same_url",
    "shown",
    "split",
]
