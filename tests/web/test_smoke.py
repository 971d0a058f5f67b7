def test_pages(synced):
    for view in ("status", "events", "sync", "mapping", "contact/5"):
        try:
            print(view, len(synced.page(view)))
        except Exception as e:
            import traceback; traceback.print_exc()
    print(synced.get("/api/v1/openapi.json").text[:300])
