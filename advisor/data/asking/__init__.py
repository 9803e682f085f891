"""Questions and answers written by a model: a local one, or one behind an endpoint that speaks the protocol of OpenAI."""
