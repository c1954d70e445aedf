"""A HTTP API that misbehaves on request, and a receiver of webhooks: real sockets on a free loopback
port. Standard library only.

    with Api(rows) as api: api.url + "/next" …

Paths that give the rows of `api.rows` (a list of objects with an `id` and an `updated_at`):
    /next    {"data": {"items": […]}, "links": {"next": "…"}}
    /link    […] with a Link header
    /page    ?page=1&size=10        {"items": […], "total": n}
    /offset  ?offset=0&limit=10     the same
    /cursor  ?after=…               {"items": […], "meta": {"cursor": …}}
    /all     […]
    /rows/ID/parts                  […] the parts of one row; 404 for an unknown one
    /post    like /cursor, but by POST
each with ?updated_since=… to get only rows from there on, and ?size=… for the size of pages.
    /hook    takes a POST: api.received[Idempotency-Key] = [body, …]
    /moved, /loop, /elsewhere       redirects: to /all, in a circle, to api.other
    /huge    an answer without end

`api.faults` says how a request is answered, by number from 1 (see FAULTS; the same wrong page is not
given twice for one request); `api.always` answers every request so. `api.token`: what must be sent as
a bearer token; requests from number `api.expires` on get a 401.
"""
import email.utils
import json
import re
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Faults that the next attempt may not meet.
FAULTS = ["429", "429_date", "500", "503", "html", "truncated", "short", "long", "reset", "close",
          "slow", "duplicate", "empty", "garbage", "broken_gzip", "no_records", "error_200", "nothing"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    do_PUT = do_POST

    # ---- Good answers

    def answer(self, body):
        api = self.server.api
        with api.lock:
            api.count += 1
            number = api.count
            fault = api.always or api.faults.get(number)
            api.log.append((self.command, self.path, fault or ""))
            api.headers.append(dict(self.headers))
            if fault:
                api.met.append(fault)
        path, _, query = self.path.partition("?")
        query = {k: v[-1] for k, v in urllib.parse.parse_qs(query).items()}
        if api.token and self.headers.get("Authorization") != "Bearer " + api.token:
            return self.send(401, {"message": "token unknown: " + str(self.headers.get("Authorization"))})
        if api.expires and number >= api.expires:
            return self.send(401, {"message": "token expired"})
        if path == "/hook":
            return self.hook(body, fault)
        if fault and self.misbehave(fault, path, query):
            return None
        if path == "/moved":
            return self.redirect("/all?" + urllib.parse.urlencode(query))
        if path == "/loop":
            return self.redirect("/loop2")
        if path == "/loop2":
            return self.redirect("/loop")
        if path == "/elsewhere":
            return self.redirect(api.other)
        if path == "/huge":
            return self.huge()
        part = re.fullmatch(r"/rows/([^/]*)/parts", path)
        if part:
            key = urllib.parse.unquote(part.group(1))
            row = next((r for r in api.rows if str(r["id"]) == key), None)
            if row is None:
                return self.send(404, {"message": "no such row"})
            return self.send(200, row.get("parts", []))
        content, headers = self.page(path, query, api.matching(query))
        if content is None:
            return self.send(404, {"message": "there is nothing here"})
        return self.send(200, content, headers)

    def page(self, path, query, rows):
        api = self.server.api
        size = int(query.get("size") or query.get("limit") or api.size)
        if path == "/all":
            return rows, {}
        if path in ("/next", "/link"):
            at = int(query.get("at", 0))
            query["at"] = at + size
            link = f"{api.link_base or api.url}{path}?{urllib.parse.urlencode(query)}"
            more = at + size < len(rows)
            if path == "/link":
                return rows[at:at + size], {"Link": f'<{api.url}/x>; rel="first", <{link}>; rel="next"'} if more else {}
            return {"data": {"items": rows[at:at + size]}, "links": {"next": link if more else None}}, {}
        if path == "/page":
            at = (int(query.get("page", 1)) - 1) * size
            return {"items": rows[at:at + size], "total": len(rows)}, {}
        if path == "/offset":
            at = int(query.get("offset", 0))
            return {"items": rows[at:at + size], "total": len(rows)}, {}
        if path in ("/cursor", "/post"):
            at = int(query["after"].removeprefix("c/+")) if "after" in query else 0
            more = at + size < len(rows)
            return {"items": rows[at:at + size], "meta": {"cursor": f"c/+{at + size}" if more else None}}, {}
        return None, {}

    def hook(self, body, fault):
        api = self.server.api
        key = self.headers.get("Idempotency-Key")
        # Some faults come before the message is taken, others lose only the answer.
        if fault in ("429", "429_date", "500", "503") and self.misbehave(fault, "/hook", {}):
            return
        if api.refuse and api.refuse(json.loads(body)):
            return self.send(422, {"message": "not wanted"})
        with api.lock:
            api.received.setdefault(key, []).append(body.decode())
        if fault in ("reset", "close", "short", "slow"):
            self.misbehave(fault, "/hook", {})
            return
        self.send(200, {"taken": True})

    # ---- Bad ones

    def misbehave(self, fault, path, query):
        """True when the answer was given."""
        api = self.server.api
        if fault in ("duplicate", "empty"):
            # A page that says twice in a row that there is no more can't be told from the last one.
            with api.lock:
                if (self.path, fault) in api.lied:
                    return False
                api.lied.add((self.path, fault))
        if fault == "429":
            self.send(429, {"message": "slow down"}, {"Retry-After": "0"})
        elif fault == "429_date":
            self.send(429, {"message": "slow down"}, {"Retry-After": email.utils.formatdate(usegmt=True)})
        elif fault == "429_long":
            self.send(429, {"message": "come back tomorrow"}, {"Retry-After": "86400"})
        elif fault in ("500", "503", "403", "404", "400"):
            self.send(int(fault), {"message": "out of sorts"})
        elif fault == "html":
            self.raw(200, b"<!DOCTYPE html><html><head><title>Maintenance</title></head></html>", "text/html")
        elif fault in ("truncated", "short", "long"):
            content, _ = self.page(path, query, api.matching(query))
            text = json.dumps(content).encode()
            if fault == "truncated":
                self.raw(200, text[:len(text) // 2])
            elif fault == "short":  # says more than it sends
                self.raw(200, text, length=len(text) + 100)
                self.close_connection = True
            else:  # says less than it sends
                self.raw(200, text, length=len(text) // 2)
                self.close_connection = True
        elif fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        elif fault == "close":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault == "slow":
            api.stopping.wait(api.slow)
            self.close_connection = True
        elif fault == "drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            try:
                while not api.stopping.wait(0.05):
                    self.wfile.write(b" ")
                    self.wfile.flush()
            except OSError:
                pass
            self.close_connection = True
        elif fault == "duplicate":
            back = dict(query)
            size = int(query.get("size") or query.get("limit") or api.size)
            for name, step in (("page", 1), ("at", size), ("offset", size)):
                if name in back:
                    back[name] = max(0 if name != "page" else 1, int(back[name]) - step)
            if back == query or path in ("/next", "/link"):
                return False  # the links of an earlier page would be a loop
            content, headers = self.page(path, back, api.matching(query))
            self.send(200, content, headers)
        elif fault == "empty":
            if path not in ("/page", "/offset"):
                return False
            self.send(200, {"items": [], "total": len(api.matching(query))})
        elif fault == "garbage":
            self.wfile.write(b"this is not HTTP\r\n\r\n")
            self.close_connection = True
        elif fault == "broken_gzip":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"0123456789")
        elif fault == "no_records":
            self.send(200, {"status": "loading"})
        elif fault == "error_200":
            self.send(200, {"error": {"code": 17, "message": "database is locked"}})
        elif fault == "nothing":
            self.raw(200, b"")
        elif fault == "same":  # a link that leads to itself
            self.send(200, {"data": {"items": api.rows[:1]}, "links": {"next": api.url + self.path}})
        elif fault == "other_host":
            self.send(200, {"data": {"items": api.rows[:1]}, "links": {"next": api.other}})
        elif fault == "first":  # the paging is not heeded
            self.send(200, {"items": api.rows[:api.size], "meta": {"cursor": "c/+1"}})
        elif fault == "lies":
            self.send(200, {"items": [], "total": len(api.rows)})
        else:
            raise AssertionError(fault)
        return True

    def send(self, status, content, headers=None):
        self.raw(status, json.dumps(content).encode(), headers=headers)

    def raw(self, status, text, kind="application/json", length=None, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def redirect(self, target):
        self.send_response(302)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def huge(self):
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        self.wfile.write(b'["')
        try:
            while not self.server.api.stopping.is_set():
                self.wfile.write(b"x" * 65536)
                self.server.api.huge_sent += 65536
        except OSError:
            pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass  # connections that we or the client broke off


class Api:
    def __init__(self, rows=(), size=10, certificate=None):
        self.rows = list(rows)
        self.size = size
        self.token = None
        self.expires = None
        self.faults = {}
        self.always = None
        self.refuse = None
        self.slow = 30
        self.other = "http://127.0.0.1:1/"
        self.link_base = None
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.api = self
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            scheme = "https"
        self.port = self.server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.huge_sent = 0
        self.reset()

    def reset(self):
        """Forgets requests and faults; the rows stay."""
        with self.lock:
            self.count = 0
            self.faults = {}
            self.always = None
            self.expires = None
            self.log = []
            self.headers = []
            self.met = []
            self.lied = set()
            self.received = {}

    def matching(self, query):
        since = query.get("updated_since")
        rows = [r for r in self.rows if since is None or (r.get("updated_at") or "") >= since]
        return [{k: v for k, v in r.items() if k != "parts"} for r in rows]

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
