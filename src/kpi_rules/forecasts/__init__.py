"""What the library's own forecasts make of a history: parameters of what is drawn, and what they assume."""
