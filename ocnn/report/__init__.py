"""What a person reads: tables, figures and the page that holds them."""
