"""Turn an executed notebook and its judgement into what people and machines take away: HTML, PDF, JSON."""
