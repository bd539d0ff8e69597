"""What a center shares without its patients: the exchange file and its page."""
