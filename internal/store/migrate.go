package store

import "fmt"

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
}

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
