"""The tabs that compute for themselves, each with a trait, requests and a worker of its own."""
