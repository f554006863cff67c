"""One file a capability. A feature reads top to bottom: options, records, actions, helpers, and last its `Feature`."""
