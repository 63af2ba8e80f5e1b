"""canary: progressive delivery with metrics, webhooks and automatic rollback."""
