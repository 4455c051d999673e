"""The management API: what back ends and tools of the customer may ask and do, by API key. Never called by browsers."""
