"""The pages that wp-admin shows: HTML fragments, one module a view. Start reading at `pages.register`."""
