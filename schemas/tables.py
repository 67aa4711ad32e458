"""The tables. Whoever is named at a table fills it; the gateway, retention and commands of the operator write to others, too.

The schema they live in is `PROFUSE_PREFIX`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIT, JSON, JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)


# Of rows that are updated soon after they were inserted: room for what they become, beside what they were.
_UPDATED = {"fillfactor": "70"}


def _moment(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _number() -> Column[int]:
    """An id of ours beside the account's own number, which two accounts may share."""
    return Column("id", Integer, Identity(), primary_key=True)


# Filled by `profuse apply`.
accounts = Table("accounts", metadata, Column("id", Integer, primary_key=True, autoincrement=False), Column("name", Text, nullable=False))

tokens = Table(
    "tokens",
    metadata,
    _number(),
    Column("account", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    # SHA-256 of the token; the token itself is stored nowhere.
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("rights", ARRAY(Text), nullable=False),
    _moment("expires_at"),
    Column("revoked", Boolean, nullable=False, server_default=text("false")),
    # Most of its profiles that wait in a gateway; NULL: as the settings say.
    Column("in_flight", Integer),
    # `always_200`; NULL: as HTTP has it.
    Column("http_status", Text),
    UniqueConstraint("account", "name"),
)

databases = Table(
    "databases",
    metadata,
    _number(),
    Column("account", ForeignKey("accounts.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("unknown_fields", Text, nullable=False),
    # name -> {"type", "match", "options"}, see schemas.fields.Declaration
    Column("fields", JSONB, nullable=False),
    UniqueConstraint("account", "number"),
)

# A database whose profiles are being filed anew, and how far that has come; the row goes when it is done.
refilings = Table(
    "refilings",
    metadata,
    Column("database", Integer, primary_key=True, autoincrement=False),
    # Names of those that nobody may be searched by until it is done.
    Column("fields", ARRAY(Text), nullable=False),
    # Raised whenever it has to begin anew.
    Column("turn", Integer, nullable=False, server_default=text("1")),
    # Whether nobody writes any more who knows only the declaration of before.
    Column("waited", Boolean, nullable=False, server_default=text("false")),
    # What of `identities` was swept, up to this value and `n`; NULL: there is nothing to sweep.
    Column("swept_value", Text(collation="C")),
    Column("swept_n", BigInteger, nullable=False, server_default=text("0")),
    # Profiles up to this id are filed.
    Column("filed", LargeBinary, nullable=False, server_default=text("''")),
)

resources = Table(
    "resources",
    metadata,
    _number(),
    Column("account", ForeignKey("accounts.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("database", ForeignKey("databases.id"), nullable=False),
    UniqueConstraint("account", "number"),
)

triggers = Table(
    "triggers",
    metadata,
    _number(),
    Column("account", ForeignKey("accounts.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("database", ForeignKey("databases.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("resource", ForeignKey("resources.id")),
    Column("unconditional_sending", Boolean, nullable=False),
    Column("skip_minutes", Integer, nullable=False),
    Column("sender", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("html", Text, nullable=False),
    # Of the channels that have them; empty elsewhere.
    Column("text", Text, nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    Column("link", Text, nullable=False, server_default=""),
    Column("body", Text, nullable=False, server_default=""),
    # Names, the first choice first; None: the account's only one of the channel.
    Column("provider", ARRAY(Text)),
    # Launches a minute.
    Column("pace", Integer),
    # Minutes over which a batch's launches are spread.
    Column("spread", Integer),
    # An `update` trigger starts only when one of these changed; None: whatever changed.
    Column("fields", ARRAY(Text)),
    UniqueConstraint("account", "number"),
)

providers = Table(
    "providers",
    metadata,
    _number(),
    Column("account", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("url", Text, nullable=False),
    # As they are: whoever signs needs them.
    Column("secrets", ARRAY(Text), nullable=False),
    # Messages a second, of all launchers together.
    Column("rate", Integer),
    Column("concurrency", Integer, nullable=False),
    # Seconds.
    Column("timeout", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    UniqueConstraint("account", "name"),
)

# What launchers tell one another of providers.
provider_states = Table(
    "provider_states",
    metadata,
    Column("provider", ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True),
    # Nobody tries it before.
    _moment("held_until"),
    _moment("held_since"),
    Column("why", Text),
    # It said too often that it is gone; until `apply` changes it.
    _moment("paused_at"),
    # How often in a row.
    Column("gone", Integer, nullable=False, server_default=text("0")),
)

# When the next one may go, of whatever has a pace: a provider, a trigger, a batch that is spread.
paces = Table("paces", metadata, Column("name", Text, primary_key=True), _moment("next_at", nullable=False))

hooks = Table(
    "hooks",
    metadata,
    _number(),
    Column("account", ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    # As they were written: whoever signs needs them.
    Column("secrets", ARRAY(Text), nullable=False),
    # NULL: all.
    Column("events", ARRAY(Text)),
    Column("batch", Integer, nullable=False),
    # Seconds.
    Column("timeout", Integer, nullable=False),
    Column("success", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    # The hooks' room pauses one, an operator lets it go on.
    _moment("paused_at"),
    Column("paused_because", Text),
    # Where it has no position it begins at the events of this moment; an operator's replay says another one.
    Column("since", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Raised by whatever an operator does to it, so that its workers begin anew.
    Column("turn", Integer, nullable=False, server_default=text("0")),
    UniqueConstraint("account", "name"),
)

# Filled by the hooks' room: where a hook stands in a partition of the topic of events.
hook_positions = Table(
    "hook_positions",
    metadata,
    Column("hook", ForeignKey("hooks.id"), primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    # The offset that comes next; NULL: it is looked up by the hook's `since`.
    Column("position", BigInteger),
    # Raised by whoever takes it over; a process that has lost it can write nothing.
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    # The batch under way: its bounds, and what it was chosen by. A repeat must be the very same one.
    Column("first", BigInteger),
    Column("last", BigInteger),
    Column("types", ARRAY(Text)),
    # POSTs that failed since the last one that did not, and since when.
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _moment("failing_since"),
    Column("answer", Text),
    _moment("answered_at"),
    # Records that the broker had deleted before the hook came to them.
    Column("lost", BigInteger, nullable=False, server_default=text("0")),
)

# Filled by ingest.
# Here, in `requests` and in `launches` what many rows share is named without a foreign key: each would lock the same few, which never go.
batches = Table(
    "batches",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("account", Integer, nullable=False),
    Column("database", Integer, nullable=False),
    # None where it starts none of its own.
    Column("trigger", Integer),
    Column("total", Integer, nullable=False),
    Column("kind", Text, nullable=False, server_default="import_and_start"),
    Column("matching", Text, nullable=False),
    Column("field_name", Text),
    Column("resource", Integer),
    Column("skip_triggers", Boolean, nullable=False),
    Column("skip_invalid_subscriptions", Boolean, nullable=False),
    Column("detect_geo", Boolean, nullable=False),
    # As it was written: a JSONB number may come back a hundred times as long.
    Column("content", JSON, nullable=False),
    Column("custom_data", JSON, nullable=False),
    # item number -> its error, for items that failed at the door
    Column("rejects", JSONB, nullable=False),
    Column("accepted_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    _moment("due_at", nullable=False),
    # A lease of the gateway that publishes; meaningless once `published_at` is set.
    _moment("accepting_until", nullable=False),
    _moment("published_at"),
    # When an operator made its launches due; what is scheduled later is due by then.
    _moment("hastened_at"),
    # Before that retention need not ask whether all of it is over.
    Column("look_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("batches_look_at_idx", "look_at"),
    CheckConstraint("(kind IN ('import', 'set')) = (trigger IS NULL)", name="batches_kind_check"),
    postgresql_with=_UPDATED,
)

attachments = Table(
    "attachments",
    metadata,
    Column("batch", ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("mimetype", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("token", Integer, primary_key=True, autoincrement=False),
    Column("request_id", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    # What it made: a batch, which has its own answer, or what is answered by this.
    Column("batch", LargeBinary),
    Column("answer", Text),
    _moment("expires_at", nullable=False),
    Index("requests_batch_idx", "batch"),
    Index("requests_expires_at_idx", "expires_at"),
)

# Shared on purpose: ingest inserts it with the batch, the matcher moves it.
batch_progress = Table(
    "batch_progress",
    metadata,
    Column("batch", ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("total", Integer, nullable=False),
    # One bit per item: an item counts once, whoever published it how often.
    Column("done", BIT(varying=True), nullable=False),
    Column("imported", Integer, nullable=False, server_default=text("0")),
    Column("failed", Integer, nullable=False, server_default=text("0")),
    postgresql_with=_UPDATED,
)

# Filled by the matcher.
profiles = Table(
    "profiles",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("database", Integer, nullable=False),
    Column("data", JSONB, nullable=False),
    # A list, in the order in which they were added.
    Column("subscriptions", JSONB, nullable=False),
    # Walked through by database, in pages.
    Index("profiles_database_id_idx", "database", "id"),
    postgresql_with={"fillfactor": "85"},
)

identities = Table(
    "identities",
    metadata,
    Column("database", Integer, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("value", Text(collation="C"), primary_key=True),
    # 0 for an e-mail and for whoever's look-up saw no match, so that two who both saw none cannot both create;
    # else a hash of the profile's id.
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("profile", LargeBinary, nullable=False),
)

results = Table(
    "results",
    metadata,
    Column("batch", ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    # The lowest item number that was matched in one transaction: unique, because an item is done once.
    Column("chunk", Integer, primary_key=True, autoincrement=False),
    Column("items", ARRAY(Integer), nullable=False),
    # 12 bytes per item; zeros for an item that failed. Not compressed.
    Column("profiles", LargeBinary, nullable=False),
    # item number -> its error
    Column("errors", JSONB, nullable=False),
    # item number -> its own custom_data, as it was written
    Column("custom_data", JSON, nullable=False),
    # Of a batch that starts no campaign of its own: whether a launcher has told of its items, or given them up.
    Column("told", Boolean, nullable=False, server_default=text("false")),
    # Where an erasure has to look.
    Index("results_custom_data_idx", "batch", "chunk", postgresql_where=text("custom_data::text <> '{}'")),
)

# Profiles that are gone, while their items' custom_data is being taken out of `results`.
erasures = Table(
    "erasures",
    metadata,
    Column("profile", LargeBinary, primary_key=True),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# Filled by the launcher: a group of launches that share their batch, trigger and due time.
launches = Table(
    "launches",
    metadata,
    Column("batch", ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("trigger", Integer, primary_key=True, autoincrement=False),
    # How often its launches were put off; those that are leave for a group of the next attempt.
    Column("attempt", SmallInteger, primary_key=True, autoincrement=False),
    # The lowest item number in the group.
    Column("first_item", Integer, primary_key=True, autoincrement=False),
    _moment("due_at", nullable=False),
    # When the group may be claimed next: its due time, the end of its lease, or of its back-off.
    _moment("run_at", nullable=False),
    # The chunk whose `results` row holds the items' custom_data.
    Column("chunk", Integer, nullable=False),
    Column("items", ARRAY(Integer), nullable=False),
    # 12 bytes per item.
    Column("profiles", LargeBinary, nullable=False),
    # One bit per position in `items`; only ever OR-ed.
    Column("done", BIT(varying=True), nullable=False),
    # Raised by every claim; a launcher that was frozen past its lease can write nothing.
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    # The trigger's account; accounts take turns. Empty only in groups of an older launcher, until a newer one has seen them.
    Column("account", Integer),
    # Claims that came to nothing since the last mark, as when their launcher died.
    Column("claims", Integer, nullable=False, server_default=text("0")),
    # How often nobody knows whether its launches were sent.
    Column("doubts", SmallInteger, nullable=False, server_default=text("0")),
    # The only way by which they go, because they may have gone by it before.
    Column("doubted", Text),
    # Since when their destination keeps some of them waiting.
    _moment("held_since"),
    # Why its launches fail without being tried.
    Column("doomed", Text),
    Column("launched", Integer, nullable=False, server_default=text("0")),
    Column("skipped", Integer, nullable=False, server_default=text("0")),
    Column("failed", Integer, nullable=False, server_default=text("0")),
    Column("cancelled", Integer, nullable=False, server_default=text("0")),
    # How often an operator let its launches run again, and the attempt with which this run began, less those that long rests counted for.
    Column("run", SmallInteger, nullable=False, server_default=text("0")),
    Column("began", SmallInteger, nullable=False, server_default=text("0")),
    # Events that are marked but perhaps not yet published.
    Column("outbox", LargeBinary),
    _moment("finished_at"),
    # The span that scheduled them, as W3C writes it; only where their request is traced.
    Column("traceparent", Text),
    Index("launches_account_trigger_run_at_idx", "account", "trigger", "run_at", postgresql_where=text("finished_at IS NULL")),
    postgresql_with=_UPDATED,
)

# Launches that failed, until an operator lets them run again or their batch goes; the group that counts each, by the rest of its key.
failures = Table(
    "failures",
    metadata,
    Column("batch", ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("trigger", ForeignKey("triggers.id"), primary_key=True),
    Column("item", Integer, primary_key=True, autoincrement=False),
    Column("profile", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("failed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("attempt", SmallInteger, nullable=False),
    Column("first_item", Integer, nullable=False),
    Column("run", SmallInteger, nullable=False),
)

# Which launches are taken back, by one of three: those whose batch was accepted before, and that are not begun. Filled by ingest.
cancels = Table(
    "cancels",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("account", ForeignKey("accounts.id"), nullable=False),
    Column("batch", ForeignKey("batches.id", ondelete="CASCADE")),
    Column("trigger", ForeignKey("triggers.id")),
    Column("profile", LargeBinary),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("num_nonnulls(batch, trigger, profile) = 1", name="cancels_of_one_check"),
    *(Index(f"cancels_{name}_idx", name, postgresql_where=text(f"{name} IS NOT NULL")) for name in ("batch", "trigger", "profile")),
)

# Each worker writes its own topic's rows of these two; `profuse dead-letters` replays and drops.
progress = Table(
    "progress",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    # The next offset to process, moved in the transaction that holds the effects.
    Column("position", BigInteger, nullable=False, server_default=text("0")),
    # What the last processed record looked like, so that a re-created topic is noticed.
    Column("fingerprint", Text),
    # What must go to the next topic; replaced by the next transaction, which starts after it was published. Not compressed.
    Column("outbox", LargeBinary),
    # The process that took it over last, until it lets go on purpose.
    Column("holder", Text),
    # Whether it tries the next message alone, and how many before it ended while they did.
    Column("trying", Boolean, nullable=False, server_default=text("false")),
    Column("deaths", SmallInteger, nullable=False, server_default=text("0")),
    # How often an operator has moved it; whoever took it over before that moves nothing.
    Column("fence", Integer, nullable=False, server_default=text("0")),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    # [[name, value as text, or {"hex": …} where it is none], …]
    Column("headers", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("batch", LargeBinary),
    Column("item", Integer),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # When the broker had it again.
    _moment("replayed_at"),
    # 0 where no batch tells it.
    Column("account", Integer, nullable=False, server_default=text("0")),
    Index("dead_letters_batch_idx", "batch"),
    Index("dead_letters_account_created_at_idx", "account", "created_at"),
    Index("dead_letters_created_at_idx", "created_at"),
)

# Who may log in to the console; filled by `profuse console-tokens`.
console_tokens = Table(
    "console_tokens",
    metadata,
    _number(),
    Column("name", Text, nullable=False, unique=True),
    # SHA-256, like that of an API token.
    Column("hash", LargeBinary, nullable=False, unique=True),
    # `read` or `operate`
    Column("rights", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    _moment("expires_at"),
    _moment("revoked_at"),
    _moment("last_used_at"),
)

# These two are filled by the console.
console_sessions = Table(
    "console_sessions",
    metadata,
    # SHA-256 of what the cookie holds.
    Column("hash", LargeBinary, primary_key=True),
    Column("token", ForeignKey("console_tokens.id", ondelete="CASCADE"), nullable=False),
    _moment("expires_at", nullable=False),
    Index("console_sessions_expires_at_idx", "expires_at"),
)

# What was done by the console; who did it is a name, which outlives its token.
console_actions = Table(
    "console_actions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    # The form that it was asked by: one that is sent twice is one action.
    Column("form", Text, nullable=False, unique=True),
    # Name and value of everything that says which.
    Column("scope", JSONB, nullable=False),
    # What the asker was shown before; NULL: nobody could count it.
    Column("counted", BigInteger),
    # How many are done, and what came of it once it has ended.
    Column("done", BigInteger, nullable=False, server_default=text("0")),
    Column("outcome", Text),
    Column("failed", Boolean, nullable=False, server_default=text("false")),
    _moment("ended_at"),
    # When its process was last known to work on it.
    Column("seen_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
