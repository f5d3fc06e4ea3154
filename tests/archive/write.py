"""Writes an archive with warcio that has what other crawlers' have. Usage: write.py FILE, whose
name tells whether it is compressed."""

import gzip
import sys
from io import BytesIO

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

HTML = b'<html><head><title>One</title></head><body><a href="/b">b</a></body></html>'


def main(name):
    with open(name, "wb") as out:
        writer = WARCWriter(out, gzip=name.endswith(".gz"), warc_version="1.1")

        def head(fields, status="200 OK"):
            return StatusAndHeaders(status, fields, protocol="HTTP/1.1")

        def response(url, body, fields, date, status="200 OK"):
            own = {"WARC-Date": date, "WARC-IP-Address": "192.0.2.1"}
            writer.write_record(
                writer.create_warc_record(
                    url,
                    "response",
                    payload=BytesIO(body),
                    http_headers=head(fields, status),
                    warc_headers_dict=own,
                )
            )

        html = ("Content-Type", "text/html")
        writer.write_record(writer.create_warcinfo_record(name, {"software": "a test"}))
        response("http://example.com/", HTML, [html], "2020-01-02T03:04:05.123456Z")
        packed = gzip.compress(HTML)
        chunks = [packed[i : i + 20] for i in range(0, len(packed), 20)]
        chunked = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
        coded = [html, ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked")]
        response("http://example.com/gz", chunked, coded, "2020-01-02T03:04:06Z")
        plain = ("Content-Type", "text/plain")
        response("http://example.com/no", b"no", [plain], "2020-01-02T03:04:07Z", "404 Not Found")
        # A younger copy of the first.
        response("http://example.com/", HTML + b"2", [html], "2021-01-02T03:04:05Z")
        writer.write_record(
            writer.create_revisit_record(
                "http://example.com/again",
                "sha1:X",
                refers_to_uri="http://example.com/gz",
                refers_to_date="2020-01-02T03:04:06Z",
                http_headers=head([html]),
                warc_headers_dict={"WARC-Date": "2021-02-01T00:00:00Z"},
            )
        )
        writer.write_record(
            writer.create_warc_record(
                "dns:example.com", "resource", payload=BytesIO(b"x"), warc_content_type="text/dns"
            )
        )


main(sys.argv[1])
