package store

import (
	"fmt"

	"kith/internal/group"
)

// application marks the file as Kith's (PRAGMA application_id): "KITH".
const application = 0x4b495448

// synchronous makes a commit durable against a power cut. FULL is needed for
// more than that: only then does SQLite end each commit of the log on a block
// boundary, so that a torn block of the next one cannot reach into it.
const synchronous = "full"

// migrations bring a database from each version to the next. The list is
// append-only: a step that has been released is never edited.
var migrations = []string{
	// 1: the first tables. seq, order and group numbers are below 2^63; time
	// is the author's word and holds any 64 bits.
	`CREATE TABLE groups (
		n           INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again for another group
		id          BLOB NOT NULL UNIQUE,
		read_ord    INTEGER NOT NULL DEFAULT 0,
		read_device BLOB NOT NULL DEFAULT x'',
		read_seq    INTEGER NOT NULL DEFAULT 0
	) STRICT;
	CREATE TABLE records (
		grp   INTEGER NOT NULL,
		kind  INTEGER NOT NULL,
		key   BLOB NOT NULL,
		value BLOB NOT NULL,
		PRIMARY KEY (grp, kind, key)
	) STRICT, WITHOUT ROWID;
	CREATE TABLE messages (
		grp    INTEGER NOT NULL, ord INTEGER NOT NULL, device BLOB NOT NULL, seq INTEGER NOT NULL,
		person BLOB NOT NULL, id BLOB NOT NULL, content_commit BLOB NOT NULL, block BLOB NOT NULL,
		time   INTEGER NOT NULL, state INTEGER NOT NULL, marks INTEGER NOT NULL,
		client TEXT NOT NULL, content BLOB NOT NULL
	) STRICT;
	CREATE UNIQUE INDEX messages_place ON messages (grp, ord, device, seq);
	CREATE UNIQUE INDEX messages_same ON messages (grp, id, person, content_commit);
	CREATE INDEX messages_client ON messages (grp, client) WHERE client <> '';
	CREATE TABLE hidden (
		grp    INTEGER NOT NULL, ord INTEGER NOT NULL, device BLOB NOT NULL, seq INTEGER NOT NULL,
		person BLOB NOT NULL, id BLOB NOT NULL, content_commit BLOB NOT NULL, block BLOB NOT NULL,
		time   INTEGER NOT NULL, state INTEGER NOT NULL, marks INTEGER NOT NULL,
		client TEXT NOT NULL, content BLOB NOT NULL,
		PRIMARY KEY (grp, ord, device, seq)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX hidden_same ON hidden (grp, id, person, content_commit);
	CREATE TABLE items (
		bucket TEXT NOT NULL,
		key    BLOB NOT NULL,
		value  BLOB NOT NULL,
		PRIMARY KEY (bucket, key)
	) STRICT, WITHOUT ROWID;`,

	// 2: a place has the hash of its entry, so that two entries of a device with
	// one number are two rows. The entry of a row is the record (kind 6; key:
	// device 32, seq 8, hash 16) whose header has the row's commitment. A withdrawn
	// row has none any more. What was read stays read.
	`ALTER TABLE groups ADD COLUMN read_hash BLOB NOT NULL DEFAULT x'';
	UPDATE groups SET read_hash = x'ffffffffffffffffffffffffffffffff';
	DROP INDEX messages_place;
	ALTER TABLE messages ADD COLUMN hash BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';
	UPDATE messages AS m SET hash = coalesce((SELECT substr(r.key, 41) FROM records AS r WHERE r.grp = m.grp AND r.kind = 6
		AND r.key BETWEEN CAST(m.device || unhex(printf('%016x00000000000000000000000000000000', m.seq)) AS BLOB)
			AND CAST(m.device || unhex(printf('%016xffffffffffffffffffffffffffffffff', m.seq)) AS BLOB)
		AND instr(r.value, m.content_commit) > 0 ORDER BY r.key LIMIT 1), m.hash);
	CREATE UNIQUE INDEX messages_place ON messages (grp, ord, device, seq, hash);
	ALTER TABLE hidden RENAME TO hidden_1;
	DROP INDEX hidden_same;
	CREATE TABLE hidden (
		grp    INTEGER NOT NULL, ord INTEGER NOT NULL, device BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
		person BLOB NOT NULL, id BLOB NOT NULL, content_commit BLOB NOT NULL, block BLOB NOT NULL,
		time   INTEGER NOT NULL, state INTEGER NOT NULL, marks INTEGER NOT NULL,
		client TEXT NOT NULL, content BLOB NOT NULL,
		PRIMARY KEY (grp, ord, device, seq, hash)
	) STRICT, WITHOUT ROWID;
	INSERT INTO hidden SELECT h.grp, h.ord, h.device, h.seq,
		coalesce((SELECT substr(r.key, 41) FROM records AS r WHERE r.grp = h.grp AND r.kind = 6
			AND r.key BETWEEN CAST(h.device || unhex(printf('%016x00000000000000000000000000000000', h.seq)) AS BLOB)
				AND CAST(h.device || unhex(printf('%016xffffffffffffffffffffffffffffffff', h.seq)) AS BLOB)
			AND instr(r.value, h.content_commit) > 0 ORDER BY r.key LIMIT 1), x'00000000000000000000000000000000'),
		h.person, h.id, h.content_commit, h.block, h.time, h.state, h.marks, h.client, h.content FROM hidden_1 AS h;
	CREATE INDEX hidden_same ON hidden (grp, id, person, content_commit);
	DROP TABLE hidden_1;`,

	// 3: annotations have a table of their own: the indexes of messages need not be made
	// anew, which of a million rows takes more memory than there is. Until then every content was a
	// text, or of a kind that was not known: those are noted, to be looked at again.
	`CREATE TABLE annotations (
		grp    INTEGER NOT NULL, ord INTEGER NOT NULL, device BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
		person BLOB NOT NULL, id BLOB NOT NULL, content_commit BLOB NOT NULL, block BLOB NOT NULL,
		time   INTEGER NOT NULL, state INTEGER NOT NULL, marks INTEGER NOT NULL,
		client TEXT NOT NULL, content BLOB NOT NULL,
		kind   INTEGER NOT NULL, target BLOB NOT NULL
	) STRICT;
	CREATE UNIQUE INDEX annotations_place ON annotations (grp, ord, device, seq, hash);
	CREATE UNIQUE INDEX annotations_same ON annotations (grp, id, person, content_commit);
	CREATE INDEX annotations_target ON annotations (grp, target) WHERE target <> x'';
	CREATE INDEX annotations_pins ON annotations (grp, ord) WHERE kind = 10;
	CREATE TABLE unsorted (
		grp INTEGER NOT NULL, ord INTEGER NOT NULL, device BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL
	) STRICT;
	INSERT INTO unsorted SELECT grp, ord, device, seq, hash FROM messages WHERE length(content) > 1 AND substr(content, 1, 2) <> x'0001';`,

	// 4: the index of what rows say, see index.go; made when the database is opened.
	// A deleted word is cut out of the engine's pages at once (secure-delete).
	`CREATE VIRTUAL TABLE found USING fts5(text, content='', columnsize=0, tokenize='ascii');
	INSERT INTO found (found, rank) VALUES ('secure-delete', 1);
	CREATE TABLE docs      (doc INTEGER PRIMARY KEY, msg INTEGER NOT NULL) STRICT;
	CREATE TABLE unindexed (msg INTEGER PRIMARY KEY) STRICT;
	CREATE TABLE spans     (n INTEGER PRIMARY KEY, since INTEGER NOT NULL UNIQUE, docs INTEGER NOT NULL) STRICT;
	CREATE TABLE indexing  (version INTEGER NOT NULL, below INTEGER NOT NULL, of INTEGER NOT NULL,
		traces INTEGER NOT NULL, merged INTEGER NOT NULL) STRICT;
	INSERT INTO indexing VALUES (0, 0, 0, 0, 0);`,

	// 5: what a start shows of a group before its records are read, see sketch.go.
	`CREATE TABLE sketches (grp INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;`,

	// 6: how long messages last can be set: what an older program stored of that is looked at again.
	`INSERT INTO unsorted SELECT grp, ord, device, seq, hash FROM messages WHERE length(content) > 1 AND substr(content, 1, 2) = x'000b';`,

	// 7: no table. The leaves and records of a home are those of a program that reads the frames 35 to 45:
	// others send them, and an older program on this home would take them for misbehaving. See numbered.
	`SELECT 7;`,

	// 8: no table. What is kept of friends names several devices of each, which an older program does not read.
	`SELECT 8;`,
}

// numbered is the newest feature of the program that brings databases to the newest number. With a newer one
// goes a newer number, so that no program opens a home whose leaves announce what it does not read.
const numbered = 14

var _ [group.NewestFeature]struct{} = [numbered]struct{}{} // else add a migration, and raise numbered

// checkVersion refuses a database this program does not know. It only reads.
func checkVersion(c *conn) error {
	app, _, err := c.number("PRAGMA application_id")
	if err != nil {
		return err
	}
	version, _, err := c.number("PRAGMA user_version")
	if err != nil {
		return err
	}
	if app != application && (app != 0 || version != 0) {
		return fmt.Errorf("%w: not a database of Kith", ErrDamaged)
	}
	if version > int64(len(migrations)) {
		return ErrNewer
	}
	return nil
}

// migrate brings the database to this program's version in one transaction.
func migrate(c *conn) error {
	version, _, err := c.number("PRAGMA user_version")
	if err != nil || version == int64(len(migrations)) {
		return err
	}
	return c.transact("BEGIN IMMEDIATE", func() error {
		for _, step := range migrations[version:] {
			if err := c.sq.Exec(step); err != nil {
				return translate(err)
			}
		}
		return translate(c.sq.Exec(fmt.Sprintf(
			"PRAGMA application_id=%d; PRAGMA user_version=%d", application, len(migrations))))
	})
}
