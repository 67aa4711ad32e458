"""Profiles are found by their push subscriptions, too: the numbers and the digest are those of `schemas`, as they are today."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_FILE = """
INSERT INTO identities (database, kind, value, n, profile)
SELECT profiles.database, filed.kind, filed.value,
    greatest(1, (('x' || encode(substring(profiles.id FROM 5), 'hex'))::bit(64) >> 1)::bigint), profiles.id
FROM profiles,
LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(subscriptions) = 'array' THEN subscriptions ELSE '[]' END) AS given (one),
LATERAL (
    SELECT left(encode(sha256(convert_to((one ->> 'provider') || chr(31) || (one ->> 'subscription_id'), 'UTF8')), 'hex'), 32)
) AS addressed (address),
LATERAL (VALUES (8, address), (9, (one ->> 'resource_id') || ' ' || address)) AS filed (kind, value)
WHERE subscriptions @> '[{"channel": "push"}]' AND one ->> 'channel' = 'push' AND one ? 'resource_id'
    AND jsonb_typeof(one -> 'provider') = 'string' AND jsonb_typeof(one -> 'subscription_id') = 'string'
ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    op.execute(_FILE)


def downgrade() -> None:
    op.execute("DELETE FROM identities WHERE kind IN (8, 9)")
