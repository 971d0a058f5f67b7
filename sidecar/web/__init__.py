"""The signed local HTTP service and the pages that wp-admin shows.

May import `tasks`, `runtime` and below. Start reading at `app.create_app`; `auth` decides who gets in, `roles` who may
do what, `routes` is the one way to register a URL.
"""
