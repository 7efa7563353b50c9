"""Documents that change: ids, payloads and filters over immutable segments."""
