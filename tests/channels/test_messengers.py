"""Telegram and WhatsApp, against stand-ins that answer as their documentation says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from outgoing import TEXTS, message
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sidecar.automations.channels.model import Outgoing
from sidecar.automations.channels.telegram import Telegram
from sidecar.automations.channels.whatsapp import WhatsApp
from sidecar.config_channels import Telegram as TelegramConfig
from sidecar.config_channels import WhatsApp as WhatsAppConfig

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
SEND = f"/bot{TOKEN}/sendMessage"
PHONE = "106540352242922"
GRAPH = f"/v23.0/{PHONE}/messages"


def telegram(server: HTTPServer) -> Telegram:
    return Telegram(TelegramConfig(token=TOKEN, chat_field="telegram_id", api=server.url_for("/")))


def chat(number: int = 1, **changes: Any) -> Outgoing:
    return message(number, channel="telegram", **({"to": "4242"} | changes))


@pytest.mark.parametrize("text", TEXTS)
def test_telegram_takes_a_text(httpserver: HTTPServer, text: str) -> None:
    heard: list[dict[str, Any]] = []

    def take(request: Request) -> Response:
        heard.append(request.get_json())
        return Response(
            msgspec.json.encode(
                {"ok": True, "result": {"message_id": 365, "chat": {"id": 4242}, "date": 1, "text": "…"}}
            )
        )

    httpserver.expect_request(SEND, method="POST").respond_with_handler(take)
    found = telegram(httpserver).send([chat(text=text)])
    assert [(one.state, one.ref) for one in found] == [("sent", "365")]
    assert heard == [
        {"chat_id": 4242, "text": text.replace("\x00", "").replace("\ud83d", "?").replace("\r\n", "\n").strip()}
    ]


def test_telegram_takes_so_many_characters_and_no_more(httpserver: HTTPServer) -> None:
    heard: list[str] = []
    httpserver.expect_request(SEND).respond_with_handler(
        lambda request: (heard.append(request.get_json()["text"]), Response('{"ok":true,"result":{"message_id":1}}'))[1]
    )
    assert telegram(httpserver).send([chat(text="🛒" * 3000)])[0].state == "sent"
    assert len(heard[0].encode("utf-16-le")) // 2 <= 4096
    assert heard[0].startswith("🛒🛒")
    assert heard[0].endswith("🛒…")


@pytest.mark.parametrize(
    ("status", "data", "wanted"),
    [
        (403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}, ("refused", False, False, True, 0)),
        (400, {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}, ("refused", False, False, True, 0)),
        (400, {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"}, ("refused", False, False, False, 0)),
        (401, {"ok": False, "error_code": 401, "description": "Unauthorized"}, ("again", True, False, False, 0)),
        (404, {"ok": False, "error_code": 404, "description": "Not Found"}, ("again", True, False, False, 0)),
        (429, {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 34", "parameters": {"retry_after": 34}}, ("again", False, True, False, 34)),
        (429, {"ok": False, "error_code": 429, "parameters": {"retry_after": -5}}, ("again", False, True, False, 0)),
        (502, "<html>", ("unsure", False, True, False, 0)),
        (200, "[]", ("unsure", False, True, False, 0)),
    ],
)  # fmt: skip
def test_telegram_says_no(
    httpserver: HTTPServer, status: int, data: Any, wanted: tuple[str, bool, bool, bool, float]
) -> None:
    body = data if isinstance(data, str) else msgspec.json.encode(data).decode()
    httpserver.expect_request(SEND).respond_with_data(body, status=status)
    provider = telegram(httpserver)
    found = provider.send([chat(), chat(2)])
    first = found[0]
    assert (first.state, first.fatal, first.down, first.gone, first.wait) == wanted
    assert found[1].state == ("again" if first.fatal or first.down else first.state)
    assert TOKEN not in repr(found) + repr(provider)


@pytest.mark.parametrize("to", ["", "@sara", "12; DROP", "4" * 30, "4242\n"])
def test_telegram_needs_a_chat(httpserver: HTTPServer, to: str) -> None:
    assert telegram(httpserver).send([chat(to=to)])[0].state == "refused"
    assert httpserver.log == []


# --- WhatsApp --------------------------------------------------------------------------------------------


def whatsapp(server: HTTPServer) -> WhatsApp:
    config = WhatsAppConfig(
        token="EAAJ-t0ken", phone_number_id=PHONE, api=server.url_for("/"), language_codes={"en": "en_US"}
    )
    return WhatsApp(config)


def template(number: int = 1, **changes: Any) -> Outgoing:
    usual = {"channel": "whatsapp", "to": "+16505551234", "template": "cart_reminder", "parameters": ("Sara", "Coffee")}
    return message(number, **(usual | changes))


def test_whatsapp_takes_a_template(httpserver: HTTPServer) -> None:
    heard: list[dict[str, Any]] = []

    def take(request: Request) -> Response:
        assert request.headers["Authorization"] == "Bearer EAAJ-t0ken"
        heard.append(request.get_json())
        data = {"messaging_product": "whatsapp", "contacts": [{"input": "16505551234", "wa_id": "16505551234"}],
                "messages": [{"id": "wamid.HBgLMTY1MDU1NTEyMzQ=", "message_status": "accepted"}]}  # fmt: skip
        return Response(msgspec.json.encode(data), content_type="application/json")

    httpserver.expect_request(GRAPH, method="POST").respond_with_handler(take)
    provider = whatsapp(httpserver)
    found = provider.send(
        [template(), template(2, language="fa", parameters=("سارا\n\tو  علی",)), template(3, parameters=())]
    )
    assert [(one.state, one.ref) for one in found] == [("sent", "wamid.HBgLMTY1MDU1NTEyMzQ=")] * 3
    assert heard[0] == {
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "16505551234", "type": "template",
        "template": {
            "name": "cart_reminder", "language": {"code": "en_US"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Sara"}, {"type": "text", "text": "Coffee"}]}],
        },
        "biz_opaque_callback_data": "key-00000001",
    }  # fmt: skip
    assert heard[1]["template"]["language"] == {"code": "fa"}
    assert heard[1]["template"]["components"][0]["parameters"] == [{"type": "text", "text": "سارا و علی"}]
    assert "components" not in heard[2]["template"]


@pytest.mark.parametrize(
    ("status", "code", "wanted"),
    [
        (400, 131026, ("refused", False, False, True)),
        (400, 131047, ("refused", False, False, False)),
        (400, 131050, ("refused", False, False, True)),
        (400, 132001, ("refused", False, False, False)),
        (401, 190, ("again", True, False, False)),
        (403, 131031, ("again", True, False, False)),
        (403, 200, ("again", True, False, False)),
        (400, 131042, ("again", True, False, False)),
        (429, 130429, ("again", False, True, False)),
        (400, 80007, ("again", False, True, False)),
        (400, 131056, ("again", False, False, False)),
        (500, 131000, ("again", False, False, False)),
        (429, None, ("again", False, True, False)),
        (401, None, ("again", True, False, False)),
        (404, None, ("refused", False, False, False)),
        (502, None, ("unsure", False, True, False)),
        (200, None, ("unsure", False, True, False)),
    ],
)  # fmt: skip
def test_whatsapp_says_no(
    httpserver: HTTPServer, status: int, code: int | None, wanted: tuple[str, bool, bool, bool]
) -> None:
    data: dict[str, Any] = {
        "error": {"message": f"(#{code}) +16505551234", "type": "OAuthException", "code": code, "fbtrace_id": "Az8"}
    }
    httpserver.expect_request(GRAPH).respond_with_json(data if code is not None else {}, status=status)
    provider = whatsapp(httpserver)
    found = provider.send([template(), template(2)])
    first = found[0]
    assert (first.state, first.fatal, first.down, first.gone) == wanted
    assert found[1].state == ("again" if first.fatal or first.down else first.state)
    assert "1650" not in repr(found)
    assert "t0ken" not in repr(found) + repr(provider)


def test_whatsapp_needs_an_approved_template(httpserver: HTTPServer) -> None:
    found = whatsapp(httpserver).send([template(template=""), template(2, parameters=("Sara", " \n"))])
    assert [one.state for one in found] == ["refused", "refused"]
    assert httpserver.log == []


def test_a_server_that_hangs_up_leaves_it_open(httpserver: HTTPServer) -> None:
    """The request may have arrived."""
    import socket
    import threading

    server = socket.create_server(("127.0.0.1", 0))

    def hang_up() -> None:
        connection, _ = server.accept()
        connection.recv(65536)
        connection.close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    config = TelegramConfig(token=TOKEN, chat_field="t", api=f"http://127.0.0.1:{server.getsockname()[1]}")
    found = Telegram(config).send([chat(), chat(2)])
    thread.join()
    server.close()
    assert [(one.state, one.down) for one in found] == [("unsure", True), ("again", False)]
