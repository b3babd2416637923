package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"kith/internal/wire"

	"github.com/ncruces/go-sqlite3"
)

// FileName is the name the database has in a home folder.
const FileName = "kith.db"

// Config says which database to open.
type Config struct {
	Path     string // of the database file, usually FileName in the home folder
	Key      Key
	Plain    bool   // no encryption; refused outside test binaries
	MaxPages int    // bound of the file in pages of 4 KiB; 0: none
	Full     func() // told each time a write finds the disk full; must not call the DB; nil: nobody

	base string // the file system in place of the usual one; for tests
}

// DB is an open database. Its methods may be called by several goroutines at
// once; one writes at a time, and reads never wait for it.
type DB struct {
	path string // empty: in memory
	cfg  Config
	lock *os.File

	writing sync.Mutex // held for a whole write transaction
	writer  *conn      // guarded by writing

	below     int64   // as in the table indexing; guarded by writing
	unindexed int     // about how many rows wait to be indexed; guarded by writing
	merging   merging // guarded by writing

	idle    chan *conn    // readers that nobody uses
	readers chan *conn    // nil for each that is not yet opened
	closed  chan struct{} // closed by Close

	closing sync.Mutex // guards the closing of closed

	known   sync.RWMutex // guards numbers
	numbers map[wire.GroupID]int64
}

// Open opens the database, makes it if there is none, and brings it to this
// program's version. While it is open no other program can open it. It never
// changes a file it refuses.
func Open(cfg Config) (*DB, error) {
	if cfg.Plain && !testing.Testing() {
		return nil, ErrPlain
	}
	if !cfg.Plain && !cfg.Key.set {
		return nil, ErrNoKey
	}
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if path, err = followed(path); err != nil {
		return nil, err
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	db, err := openLocked(path, cfg, lock)
	if err != nil {
		lock.Close()
		return nil, err
	}
	return db, nil
}

// followed resolves links on the way to path, so that one database has one
// lock file.
func followed(path string) (string, error) {
	full, err := filepath.EvalSymlinks(path)
	if errors.Is(err, os.ErrNotExist) {
		var dir string
		dir, err = filepath.EvalSymlinks(filepath.Dir(path))
		full = filepath.Join(dir, filepath.Base(path))
	}
	if err != nil {
		return "", fmt.Errorf("store: %w", err)
	}
	return full, nil
}

func openLocked(path string, cfg Config, lock *os.File) (*DB, error) {
	found, err := inspect(path, cfg, lock)
	if err != nil {
		return nil, err
	}
	if err := makePrivate(path, path+"-shm"); err != nil {
		return nil, err
	}
	w, err := openConn(path, cfg)
	if err != nil {
		return nil, err
	}
	db := newDB(path, cfg, lock, w)
	if err := db.start(found); err != nil {
		w.close() // as it was: no checkpoint yet
		return nil, err
	}
	return db, nil
}

// makePrivate makes files that are not there yet before SQLite does, because
// SQLite would let others read them.
func makePrivate(paths ...string) error {
	for _, p := range paths {
		f, err := os.OpenFile(p, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return translate(err)
		}
		f.Close()
	}
	return nil
}

// start checks what was found, migrates, and makes the result durable.
func (db *DB) start(found finding) error {
	w := db.writer
	if err := checkVersion(w); err != nil {
		return err
	}
	if found.short {
		if err := quickCheck(w); err != nil {
			return err
		}
	}
	if err := w.sq.Exec(fmt.Sprintf("PRAGMA journal_mode=wal; PRAGMA journal_size_limit=%d", logBytes)); err != nil {
		return translate(err)
	}
	if db.cfg.MaxPages > 0 {
		if err := w.sq.Exec(fmt.Sprintf("PRAGMA max_page_count=%d", db.cfg.MaxPages)); err != nil {
			return translate(err)
		}
	}
	if err := migrate(w); err != nil {
		return err
	}
	if err := db.loadNumbers(); err != nil {
		return err
	}
	if err := db.startIndex(); err != nil {
		return err
	}
	if err := errors.Join(syncDir(filepath.Dir(db.path)), markMade(db.lock)); err != nil {
		return translate(err)
	}
	_, err := w.sq.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, false)
	return translate(err)
}

// Mem opens an empty database in memory: the same tables and statements with
// one connection, so that reads and writes take turns.
func Mem() (*DB, error) {
	w, err := openConn("", Config{})
	if err != nil {
		return nil, err
	}
	db := newDB("", Config{}, nil, w)
	err = migrate(w)
	if err == nil {
		err = db.startIndex()
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return db, nil
}

func newDB(path string, cfg Config, lock *os.File, w *conn) *DB {
	db := &DB{
		path: path, cfg: cfg, lock: lock, writer: w,
		idle: make(chan *conn, maxReaders), readers: make(chan *conn, maxReaders),
		closed:  make(chan struct{}),
		numbers: map[wire.GroupID]int64{},
	}
	for range maxReaders {
		db.readers <- nil
	}
	return db
}

// Close waits for calls that run, moves the log into the database file and
// releases the lock. Later calls return [ErrClosed].
func (db *DB) Close() error {
	db.closing.Lock()
	defer db.closing.Unlock()
	if db.isClosed() {
		return nil
	}
	close(db.closed)
	var errs []error
	for range maxReaders {
		select {
		case c := <-db.idle:
			errs = append(errs, c.close())
		case <-db.readers:
		}
	}
	db.writing.Lock()
	defer db.writing.Unlock()
	errs = append(errs, db.writer.close()) // the last connection: it empties the log
	db.cfg.Key.wipe()
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}

func (db *DB) isClosed() bool {
	select {
	case <-db.closed:
		return true
	default:
		return false
	}
}

// read lends a reader to do. do must not call the DB again: all readers could
// be waiting for one another.
func (db *DB) read(do func(*conn) error) error {
	if db.path == "" {
		return db.exclusive(do)
	}
	if db.isClosed() {
		return ErrClosed
	}
	select {
	case c := <-db.idle: // rather than to open another one
		return db.lend(c, do)
	default:
	}
	select {
	case <-db.closed:
		return ErrClosed
	case c := <-db.idle:
		return db.lend(c, do)
	case <-db.readers:
		c, err := db.openReader()
		if err != nil {
			db.readers <- nil
			return err
		}
		return db.lend(c, do)
	}
}

func (db *DB) lend(c *conn, do func(*conn) error) error {
	defer func() { db.idle <- c }()
	return do(c)
}

func (db *DB) openReader() (*conn, error) {
	c, err := openConn(db.path, db.cfg)
	if err != nil {
		return nil, err
	}
	if err := c.sq.Exec("PRAGMA query_only=on"); err != nil {
		c.close()
		return nil, translate(err)
	}
	return c, nil
}

// exclusive lends the writer to do.
func (db *DB) exclusive(do func(*conn) error) error {
	err := db.lendWriter(do)
	if db.cfg.Full != nil && errors.Is(err, ErrFull) {
		db.cfg.Full()
	}
	return err
}

func (db *DB) lendWriter(do func(*conn) error) error {
	db.writing.Lock()
	defer db.writing.Unlock()
	if db.isClosed() {
		return ErrClosed
	}
	return do(db.writer)
}
