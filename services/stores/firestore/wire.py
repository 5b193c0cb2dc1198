"""Calls to Firestore: each has a time limit, and each failure has a known meaning (DESIGN 7).

This module uses the service's client class and not the document library above it. That library repeats calls on its own
beyond any timeout, and its channel needs a minute to recover after an outage. Transactions are not used: a precondition
refuses the writes of an overtaken writer, and a batch is one call.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import grpc
from google.auth import default as credentials_of_this_machine
from google.auth.exceptions import GoogleAuthError
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from google.oauth2 import service_account
from google.protobuf.timestamp_pb2 import Timestamp
from msgspec import Struct
from msgspec.structs import replace

from services.stores.firestore.failures import read_errors, write_errors
from services.stores.store import StoreDown, StoreUnreadable

# A webhook must be answered within 3 s, and its command may have waited 1.2 s before its group began.
WRITE_SECONDS = 1.5
READ_SECONDS = 1.5
PAGE_SECONDS = 2.0  # no call takes longer than this one, which fetches a page
PAGE = 500
EMULATOR_SETTLES_WITHIN = 0.1  # seconds
LARGEST_DOCUMENT = 900_000  # Firestore itself refuses above 1 MiB, names and index entries counted
LARGEST_COMMIT = 10_000_000  # Firestore itself refuses above 10 MiB

CHANNEL: tuple[tuple[str, int], ...] = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),  # the usual two minutes would keep the desk down after an outage
    ("grpc.min_reconnect_backoff_ms", 2_000),  # really the time limit of one attempt, including its TLS handshake
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ("grpc.keepalive_time_ms", 30_000),  # the service closes the connection when pinged more often
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
)
SCOPES = ("https://www.googleapis.com/auth/datastore",)

Is = types.StructuredQuery.FieldFilter.Operator
Scalar = str | int | bool | None
NAME = "__name__"  # the field of a query that is the document's own name


class Found(Struct, frozen=True):
    """A document: its name within the collection, its fields, and the time of its last write."""

    id: str
    fields: dict[str, Any]
    mark: str
    read_at: Timestamp


class Query(Struct, frozen=True):
    """A query on one collection that needs no index of our own.

    So it has either equality conditions on one field, or a range and the order on one field, never both.
    """

    collection: str
    where: tuple[tuple[str, int, Any], ...] = ()
    order: str | None = None
    descending: bool = False
    limit: int = PAGE
    only: tuple[str, ...] = ()
    as_of: Timestamp | None = None
    after: Found | None = None


class Write(Struct, frozen=True):
    """One document of a batch. ``fields`` None deletes it; with ``mask`` only those fields change.

    Preconditions: ``expected_mark`` is the mark that the document must have. ``is_new`` true requires that it does not
    exist, false that it does.
    """

    path: str
    fields: dict[str, Scalar] | None = None
    mask: tuple[str, ...] = ()
    expected_mark: str | None = None
    is_new: bool | None = None


class Wire:
    """The connection to one project's database. Any thread may use it.

    Raises StoreUnreadable for unusable credentials. Nothing is sent before the first call.
    """

    def __init__(self, project: str, credentials_json: str | None, emulator_host: str | None) -> None:
        self.database = f"projects/{project}/databases/(default)"
        self._documents = f"{self.database}/documents"
        self._channel = _channel(credentials_json, emulator_host)
        self._settles_within = 0.0 if emulator_host is None else EMULATOR_SETTLES_WITHIN
        self._metadata = [("google-cloud-resource-prefix", self.database)]
        if emulator_host is not None:
            self._metadata.append(("authorization", "Bearer owner"))  # the emulator's token for an administrator

    @cached_property
    def _client(self) -> FirestoreClient:
        return FirestoreClient(transport=FirestoreGrpcTransport(channel=self._channel))

    def close(self) -> None:
        self._channel.close()

    def let_settle(self) -> None:
        """Wait until everything written before now can be read completely, as of now.

        Firestore guarantees that at once. Its emulator shows a commit half done for some milliseconds, even to a read
        as of a time. So this waits only with the emulator.
        """
        time.sleep(self._settles_within)

    # -- reading ------------------------------------------------------------------------------------------------

    def get(self, path: str, only: Sequence[str] = (), seconds: float = READ_SECONDS) -> Found | None:
        """Return one document, None when it does not exist. Raises StoreDown."""
        request = types.BatchGetDocumentsRequest.pb()(database=self.database, documents=[self._name(path)])
        if only:
            request.mask.field_paths.extend(only)
        answers = self._ask(self._client.batch_get_documents, types.BatchGetDocumentsRequest.wrap(request), seconds)
        found = [_found(answer.found, answer.read_time) for answer in answers if answer.HasField("found")]
        return found[0] if found else None

    def page(self, query: Query, seconds: float = PAGE_SECONDS) -> list[Found]:
        """Return the first documents that a query finds. Raises StoreDown."""
        request = types.RunQueryRequest.pb()(parent=self._documents)
        self._write_query(request.structured_query, query)
        if query.as_of is not None:
            request.read_time.CopyFrom(query.as_of)
        answers = self._ask(self._client.run_query, types.RunQueryRequest.wrap(request), seconds)
        return [_found(answer.document, answer.read_time) for answer in answers if answer.HasField("document")]

    def walk(self, query: Query, pages: int | None = None) -> Iterator[Found]:
        """Yield all documents that a query finds, page by page, at most ``pages`` pages. Raises StoreDown."""
        while pages is None or pages > 0:
            found = self.page(query)
            yield from found
            if len(found) < query.limit:
                return
            query = replace(query, after=found[-1])
            pages = None if pages is None else pages - 1

    def _ask(self, ask: Callable[..., Iterable[Any]], request: Any, seconds: float) -> list[Any]:
        with read_errors():
            answers = ask(request=request, retry=None, timeout=seconds, metadata=self._metadata)
            return [type(answer).pb(answer) for answer in answers]

    def _write_query(self, into: Any, query: Query) -> None:
        into.from_.add(collection_id=query.collection)
        into.limit.value = query.limit
        for name in query.only:
            into.select.fields.add(field_path=name)
        for field, operator, value in query.where:
            condition = into.where.composite_filter.filters.add().field_filter
            condition.field.field_path = field
            condition.op = operator
            if field == NAME:
                condition.value.reference_value = self._name(f"{query.collection}/{value}")
            else:
                _write_value(condition.value, value)
        if query.where:
            into.where.composite_filter.op = types.StructuredQuery.CompositeFilter.Operator.AND
        direction = types.StructuredQuery.Direction
        for field in filter(None, (query.order, NAME)):
            order = into.order_by.add(direction=direction.DESCENDING if query.descending else direction.ASCENDING)
            order.field.field_path = field
        if query.after is not None:
            if query.order is not None:
                _write_value(into.start_at.values.add(), query.after.fields[query.order])
            into.start_at.values.add(reference_value=self._name(f"{query.collection}/{query.after.id}"))
            into.start_at.before = False

    # -- writing ------------------------------------------------------------------------------------------------

    def commit(self, writes: Sequence[Write], seconds: float = WRITE_SECONDS) -> list[str]:
        """Write all of it in one call, or nothing. Returns each document's new mark, in order.

        Raises Refused when a precondition did not hold, StoreDown when nothing was written, OutcomeUnknown.
        """
        request = types.CommitRequest.pb()(database=self.database, writes=[self._as_sent(write) for write in writes])
        if request.ByteSize() > LARGEST_COMMIT:
            raise StoreDown(f"the commit has {request.ByteSize():,} bytes, Firestore takes {LARGEST_COMMIT:,} at once")
        with write_errors():
            answer = self._client.commit(
                request=types.CommitRequest.wrap(request), retry=None, timeout=seconds, metadata=self._metadata
            )
        return [_mark(result.update_time) for result in types.CommitResponse.pb(answer).write_results]

    def _as_sent(self, write: Write) -> Any:
        sent = types.Write.pb()()
        if write.fields is None:
            sent.delete = self._name(write.path)
        else:
            sent.update.name = self._name(write.path)
            for name, value in write.fields.items():
                if value is not None:
                    _write_value(sent.update.fields[name], value)
            if sent.ByteSize() > LARGEST_DOCUMENT:
                raise StoreDown(f"{write.path} has {sent.ByteSize():,} bytes, {LARGEST_DOCUMENT:,} are the most")
        if write.mask:
            sent.update_mask.field_paths.extend(write.mask)
        if write.expected_mark is not None:
            sent.current_document.update_time.CopyFrom(_time(write.expected_mark))
        elif write.is_new is not None:
            sent.current_document.exists = not write.is_new
        return sent

    def _name(self, path: str) -> str:
        return f"{self._documents}/{path}"


def is_name(text: str) -> bool:
    """Return whether a document can have this name. Firestore answers any other name with an error."""
    if text in {"", ".", ".."} or "/" in text or (text.startswith("__") and text.endswith("__")):
        return False
    try:
        return len(text.encode()) <= 1_500
    except UnicodeEncodeError:
        return False


# -- the channel --------------------------------------------------------------------------------------------------


def _channel(credentials_json: str | None, emulator_host: str | None) -> grpc.Channel:
    if emulator_host is not None:
        return grpc.insecure_channel(emulator_host, options=[*CHANNEL, ("grpc.enable_http_proxy", 0)])
    try:
        if credentials_json is None:
            credentials, _ = credentials_of_this_machine(scopes=SCOPES)
        else:
            account = json.loads(credentials_json)
            read_account: Any = service_account.Credentials.from_service_account_info
            credentials = read_account(account, scopes=SCOPES)
    except GoogleAuthError:
        raise StoreUnreadable(
            "Firestore: this machine has no usable Google credentials; set GOOGLE_CLOUD_CREDENTIALS"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StoreUnreadable("Firestore: GOOGLE_CLOUD_CREDENTIALS is no service account's JSON key") from None
    return FirestoreGrpcTransport.create_channel(credentials=credentials, options=list(CHANNEL))


# -- values -------------------------------------------------------------------------------------------------------


def _write_value(into: Any, value: Any) -> None:
    if isinstance(value, bool):
        into.boolean_value = value
    elif isinstance(value, int):
        into.integer_value = value
    elif isinstance(value, str):
        into.string_value = value
    else:
        into.array_value.SetInParent()
        for part in value:
            _write_value(into.array_value.values.add(), part)


def _found(document: Any, read_at: Timestamp) -> Found:
    fields = {name: getattr(value, value.WhichOneof("value_type")) for name, value in document.fields.items()}
    return Found(document.name.rpartition("/")[2], fields, _mark(document.update_time), read_at)


def _mark(at: Timestamp) -> str:
    return f"{datetime.fromtimestamp(at.seconds, UTC):%Y-%m-%dT%H:%M:%S}.{at.nanos:09d}Z"


def _time(mark: str) -> Timestamp:
    at = Timestamp()
    at.FromJsonString(mark)
    return at
