-- Every key begins with the control plane: no statement can meet a row of another tenant.
-- Moments are Unix milliseconds, except expires_at, which is Unix seconds like ttl.
-- Texts that callers choose (tags, unique values of records) are bytes: they may hold a NUL, and
-- their order is the same on every server.

CREATE TABLE meta (name TEXT PRIMARY KEY, value BYTEA NOT NULL);

CREATE TABLE entity (
    control_plane UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    id UUID NOT NULL,
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT,
    digest BYTEA NOT NULL,
    body TEXT NOT NULL,
    sealed BYTEA,
    PRIMARY KEY (control_plane, kind, id)
);
CREATE INDEX entity_expiry ON entity (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE unique_key (
    control_plane UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    id UUID NOT NULL,
    PRIMARY KEY (control_plane, kind, digest)
);
CREATE INDEX unique_key_row ON unique_key (control_plane, kind, id);

CREATE TABLE reference (
    control_plane UUID NOT NULL,
    target UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    id UUID NOT NULL,
    target_kind TEXT COLLATE "C" NOT NULL,
    on_delete SMALLINT NOT NULL,
    PRIMARY KEY (control_plane, target, kind, field, id)
);
CREATE INDEX reference_row ON reference (control_plane, kind, id);

CREATE TABLE tag (
    control_plane UUID NOT NULL,
    tag BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    id UUID NOT NULL,
    PRIMARY KEY (control_plane, tag, kind, id)
);
CREATE INDEX tag_row ON tag (control_plane, kind, id);

CREATE TABLE plane (
    control_plane UUID PRIMARY KEY,
    version BIGINT NOT NULL,
    logged_after BIGINT NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE change_log (
    control_plane UUID NOT NULL,
    version BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    id UUID NOT NULL,
    is_removal BOOLEAN NOT NULL,
    PRIMARY KEY (control_plane, version, ordinal)
);

CREATE TABLE audit (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at BIGINT NOT NULL,
    control_plane UUID NOT NULL,
    version BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id UUID,
    summary TEXT NOT NULL
);
CREATE INDEX audit_plane ON audit (control_plane, seq);

CREATE TABLE record (
    space TEXT COLLATE "C" NOT NULL,
    id UUID NOT NULL,
    owner UUID NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (space, id)
);
CREATE INDEX record_owner ON record (space, owner, id);

CREATE TABLE record_key (
    space TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    value BYTEA NOT NULL,
    id UUID NOT NULL,
    PRIMARY KEY (space, field, value)
);
CREATE INDEX record_key_row ON record_key (space, id);

-- What a version replaced; without body there was nothing.
CREATE TABLE history (
    control_plane UUID NOT NULL,
    version BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    id UUID NOT NULL,
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    at BIGINT NOT NULL,
    expires_at BIGINT,
    body TEXT,
    sealed BYTEA,
    PRIMARY KEY (control_plane, version, kind, id)
);
-- Only for clearing away what is old: coarse indexes, which cost a write next to nothing.
CREATE INDEX history_at ON history USING brin (at);
CREATE INDEX history_seq ON history USING brin (seq);

CREATE TABLE history_floor (
    control_plane UUID PRIMARY KEY,
    kept_after BIGINT NOT NULL
);

-- The planner knows nothing of empty tables and may settle for an index that fits half a question.
-- It keeps what it learns from these rows until the tables are analysed with real ones.
INSERT INTO entity (control_plane, kind, id, created_at, updated_at, digest, body)
SELECT ('00000000-0000-0000-0000-00000000000' || g % 3)::uuid, 'kind' || g % 10,
    md5(g::text)::uuid, 0, 0, decode(md5(g::text), 'hex'), '{}' FROM generate_series(1, 500) g;
INSERT INTO unique_key SELECT control_plane, kind, digest, id FROM entity;
INSERT INTO reference SELECT control_plane, md5('target' || seq % 100)::uuid, kind, 'field', id,
    'kind1', 0 FROM entity;
INSERT INTO tag SELECT control_plane, decode(md5((seq % 20)::text), 'hex'), kind, id FROM entity;
INSERT INTO plane SELECT md5(g::text)::uuid, g, g FROM generate_series(1, 500) g;
INSERT INTO change_log SELECT control_plane, seq / 5, seq % 5, kind, id, false FROM entity;
INSERT INTO audit (at, control_plane, version, actor_kind, summary)
SELECT 0, control_plane, seq, 'kind', '' FROM entity;
INSERT INTO record SELECT kind, id, md5('owner' || seq % 100)::uuid, 0, 0, '{}' FROM entity;
INSERT INTO record_key SELECT kind, 'field', digest, id FROM entity;
INSERT INTO history (control_plane, version, kind, id, at)
SELECT control_plane, seq / 5, kind, id, 0 FROM entity;
INSERT INTO history_floor SELECT md5(g::text)::uuid, g FROM generate_series(1, 500) g;
ANALYZE entity, unique_key, reference, tag, plane, change_log, audit, record, record_key, history,
    history_floor;
TRUNCATE entity, unique_key, reference, tag, plane, change_log, audit, record, record_key, history,
    history_floor RESTART IDENTITY;
