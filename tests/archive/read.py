"""Reads archives with warcio, and says what is in them: a JSON object a line for each response and
revisit. Usage: read.py FILE.."""

import hashlib
import json
import sys

from warcio.archiveiterator import ArchiveIterator


def main(names):
    for name in names:
        with open(name, "rb") as file:
            records = ArchiveIterator(file)
            for record in records:
                field = record.rec_headers.get_header
                row = {
                    "kind": record.rec_type,
                    "id": field("WARC-Record-ID"),
                    "url": field("WARC-Target-URI"),
                    "date": field("WARC-Date"),
                    "offset": records.get_record_offset(),
                    "refers": field("WARC-Refers-To"),
                    "concurrent": field("WARC-Concurrent-To"),
                    "profile": field("WARC-Profile"),
                    "line": record.http_headers and record.http_headers.statusline,
                }
                body = record.content_stream().read()
                row["sha256"] = hashlib.sha256(body).hexdigest()
                row["length"] = records.get_record_length()
                print(json.dumps(row))


main(sys.argv[1:])
