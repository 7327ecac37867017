"""Which findings of Schemathesis are none, and why. Loaded by Schemathesis as its hooks (SCHEMATHESIS_HOOKS), in its
own environment: standard library and schemathesis only.

A finding is excused when an entry fits its operation, its code, the answer's status and the message in the answer's
body. What no entry fits fails the run."""
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import schemathesis

REFUSED = "ST202"  # "Schema-valid request rejected"


@dataclass(frozen=True)
class Excuse:
    operation: str  # pattern of "METHOD /template"
    message: str  # pattern of the answer's message; "" for HEAD, whose answers have none
    reason: str
    code: str = REFUSED
    status: int = 400


# What no document can say, because it depends on what is stored or configured, or on two values at once. TAMS wants 400
# for these.
STATE = [
    Excuse(r"P(UT|OST) /flows(/\{flowId\})?(/flow_collection)?", r"Collected flow \S+ does not exist|A flow cannot collect itself"
           r"|is collected twice", "members of a collection are other flows that exist, each once"),
    Excuse(r"P(UT|OST) /flows(/\{flowId\})?", r"and its source have format|Source \S+ has format", "a source has one format"),
    Excuse(r"P(UT|OST) /flows(/\{flowId\})?", r"is linked to profile|Profile \S+ does not exist|comes from the profile",
           "a flow's profile exists and fixes technical metadata"),
    Excuse(r"PUT /flows/\{flowId\}/avg_bit_rate", r"comes from the flow's profile", "likewise"),
    Excuse(r"POST /service/profiles/\{profileId\}", r"exists already", "a profile never changes"),
    Excuse(r"POST /flows/\{flowId\}/storage|POST /objects", r"Storage backend \S+ does not exist", "backends are configured"),
    Excuse(r"POST /flows/\{flowId\}/storage", r"objects at once, the limit is", "the limit is configured"),
    Excuse(r"POST /flows/\{flowId\}/storage|POST /objects", r"exists already|is asked for twice|has no container",
           "object ids are new and distinct, for a flow that can have objects"),
    Excuse(r"POST /flows/\{flowId\}/segments", r"A segment needs a start and an end|The start of a segment is inclusive|Overlaps the "
           r"segment|Object .* does not exist|has no container|The label .* occurs twice|Moves the segment out|does not "
           r"cover what|must not be given, because the flow|is required, because the flow",
           "segments lie between each other and use objects that exist"),
    Excuse(r"POST /flows/\{flowId\}/segments", r"A part of the form has no|The form has no part|The form has two parts|must come before the part",
           "OpenAPI cannot say in which order the parts of a form come"),
    Excuse(r"POST /objects/\{objectId\}/instances", r"does not exist|already|nothing to copy|belongs to a storage backend"
           r"|which is the limit", "where an object is already, and what is configured"),
    Excuse(r"DELETE /objects/\{objectId\}/instances", r"by either storage_id or label|last instance|being copied",
           "OpenAPI cannot say that exactly one of two query parameters is required; the last instance stays"),
    Excuse(r"P(OST|UT) /service/webhooks(/\{webhookId\})?", r"is on a public address", "allowed networks are configured"),
    Excuse(r"P(OST|UT) /service/webhooks(/\{webhookId\})?", r"is not a header field for a key",
           "some fields are the server's own, in any case of their letters"),
    Excuse(r"PUT /service/webhooks/\{webhookId\}", r"A failed webhook cannot be disabled", "TAMS says so"),
    Excuse(r"GET /(flows|sources)/\{\w+\}/\w+", r"has no", "what was created need not have the property", "ST302", 404),
    Excuse(r"(PUT|POST|DELETE) /.*", r"", "If-Match and If-None-Match are about what is stored", status=412),
    Excuse(r"POST /.*", r"was used for another request", "an Idempotency-Key is for one request", status=422),
    Excuse(r"POST /flows/\{flowId\}/segments", r"A form takes no key", "OpenAPI cannot say it of one type of body"),
    Excuse(r"POST /flow-delete-requests", r"A flow is deleted with all its segments", "two members at once"),
    Excuse(r"POST /auth/keys", r"would have expired already", "depends on the clock"),
    Excuse(r"DELETE /tables/\{table\}", r"belongs to the product", "tables of the product stay"),
    Excuse(r"POST /schemas|DELETE /schemas/\{schema\}", r"is not a name|cannot be called|cannot be dropped",
           "names have a grammar; main stays, and what the product has tables in"),
    Excuse(r"POST /sql", r"", "whether a text is SQL, and about tables that are there, only SQL can say"),
    Excuse(r"GET /tables/\{table\}", r"by either version or as_of", "OpenAPI cannot say that two query parameters exclude each other"),
    Excuse(r"POST /(tables(/\{table\}/(migrations|rollback))?|dropped-tables/\{tableId\}/restore)", r"",
           "types have a grammar, and names, keys and defaults depend on each other and on the table"),
]

# Beyond that, against the specification's document: rules that it has in its prose or leaves to the service.
FLOW_BODIES = r"PUT /flows/\{flowId\}(/(max|avg)_bit_rate)?|POST /service/profiles/\{profileId\}"
LISTS_WITHOUT_400 = r"GET /(service/(storage-backends|webhooks)|flow-delete-requests)"
SPECIFICATION = STATE + [
    Excuse(r"GET /.*", r"The parameter 'page' is wrong", "the key of a page is opaque, but not any text"),
    Excuse(r"GET /.*", r"The parameter '(limit|frame_width|frame_height)' is wrong", "integers have 64 bits"),
    Excuse(r"(GET|DELETE) /flows.*", r"is one moment, which cannot be exclusive|beyond 2\^48 seconds",
           "AppNote 0008: a moment has no exclusive end; times are those of PTP"),
    Excuse(r"(POST|PUT) /flows.*", r"is one moment, which cannot be exclusive|2\^48 seconds|is not a timestamp",
           "likewise in bodies"),
    Excuse(LISTS_WITHOUT_400, r"The parameter '.*' is wrong|is given twice|escape|UTF-8",
           "a wrong parameter is 400 also where only 200 is written down", "ST103"),
    Excuse(r"GET /.*", r"There is no such page", "a page key that leads nowhere is 404", "ST103", 404),
    Excuse(FLOW_BODIES, r"Must be an integer|is not in the range", "integers have 64 bits and sizes are positive"),
    Excuse(r"POST /flows/\{flowId\}/segments", r"Must not be (empty|negative)|Must be an integer|is not in the range|longer than",
           "what has no name cannot be asked for; integers have 64 bits"),
    Excuse(r"POST /flows/\{flowId\}/storage", r"Must not be empty|Must be an integer|is not in the range|longer than",
           "likewise"),
    Excuse(r"POST /objects/\{objectId\}/instances", r"Must not be empty|longer than", "likewise"),
    Excuse(r"P(OST|UT) /service/webhooks(/\{webhookId\})?", r"The URL of a webhook|a key needs the header field|A key needs"
           r"|A key has no control|is not a header field", "what is sent must be HTTP"),
    Excuse(r"P(OST|UT) /service/webhooks(/\{webhookId\})?", r"Unknown member",
           "filters that are not supported are refused, and what is no filter cannot be told from one"),
    Excuse(r"POST /service", r"longer than", "names are bounded"),
    Excuse(r"OPTIONS /.*", r"is not offered at this path", "Allow names our own operations as well", "ST205", 405),
    *[Excuse(operation, r"", "this is an operation of ours", "ST204", status)
      for operation in (r"POST /(flows|sources|flow-delete-requests)", r"(PUT|DELETE) /sources/\{sourceId\}")
      for status in (200, 201, 204, 400, 403, 404, 409, 415)],
]

excuses = {"own": STATE, "specification": SPECIFICATION}[os.environ["REELHOUSE_CONFORMANCE_DOCUMENT"]]
used_file = Path(os.environ["REELHOUSE_CONFORMANCE_EXCUSED"])


def message_of(response) -> str:
    try:
        return json.loads(response.content)["message"]
    except (ValueError, KeyError, TypeError):
        return ""


def excuse_of(operation: str, code: str, status: int, message: str, is_head: bool) -> Excuse | None:
    for excuse in excuses:
        if excuse.code == code and excuse.status == status and re.fullmatch(excuse.operation, operation) and \
                (is_head or re.search(excuse.message, message)):
            return excuse
    return None


@schemathesis.hook
def filter_failure(context, failure, case, response) -> bool:
    """False: it is none."""
    method = case.method.upper()  # not the operation's: Schemathesis also tries methods that it does not have
    # HEAD is its GET, without the message that tells why.
    operation = f"{'GET' if method == 'HEAD' else method} {case.operation.path}"
    excuse = excuse_of(operation, failure.code, response.status_code, message_of(response), method == "HEAD")
    if excuse is None:
        return True
    with used_file.open("a") as used:
        used.write(excuse.reason + "\n")
    return False
