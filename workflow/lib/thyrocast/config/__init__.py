"""What a study's config may contain: one model per block, their messages and their reference."""
