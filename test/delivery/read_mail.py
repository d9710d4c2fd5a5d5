"""Prints a mail from stdin as JSON, read by Python's own parser: headers, defects, and the parts without others in them."""

import email
import email.policy
import json
import sys

mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = [part for part in mail.walk() if not part.is_multipart()]
defects = [repr(defect) for part in mail.walk() for defect in part.defects]
for name in mail.keys():
    defects += [f"{name}: {defect!r}" for defect in getattr(mail[name], "defects", ())]
print(
    json.dumps(
        {
            "headers": {name.lower(): str(value) for name, value in mail.items()},
            "defects": defects,
            "parts": [
                {
                    "type": part.get_content_type(),
                    "disposition": part.get_content_disposition(),
                    "filename": part.get_filename(),
                    "content": part.get_content(),
                }
                for part in parts
            ],
        }
    )
)
