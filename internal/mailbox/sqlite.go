package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// application marks the file (PRAGMA application_id): "KITB".
const application = 0x4b495442

// schema is the first version of the tables. The row id of an item is the number
// of its drop and its position, 32 bits each; numbers are never used again.
const schema = `
	CREATE TABLE drops (
		n         INTEGER PRIMARY KEY AUTOINCREMENT,
		name      BLOB NOT NULL UNIQUE,
		write     BLOB NOT NULL,
		read      BLOB NOT NULL,
		keep      INTEGER NOT NULL,
		expires   INTEGER NOT NULL,
		last      INTEGER NOT NULL DEFAULT 0,
		items     INTEGER NOT NULL DEFAULT 0,
		bytes     INTEGER NOT NULL DEFAULT 0
	) STRICT;
	CREATE INDEX drops_expires ON drops (expires);
	CREATE TABLE items (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;`

const schemaVersion = 1

// SQLiteConfig says which database to open.
type SQLiteConfig struct {
	Dir      string // folder of the database; made if it is not there
	Bounds   Bounds
	MaxPages int // bound of the file in pages of 4 KiB, for tests; 0: none
}

// sqliteEngine is an Engine on one SQLite file. One goroutine writes; it takes
// together what waits for it into one transaction. Readers never wait for it.
type sqliteEngine struct {
	bounds Bounds
	lock   io.Closer   // holds the folder
	writer *sqliteConn // used by the goroutine write alone
	idle   chan *sqliteConn
	jobs   chan *job
	closed chan struct{}
	once   sync.Once
	wg     sync.WaitGroup

	mu    sync.Mutex // guards usage
	usage Usage      // what is committed
}

// A job is one write. do runs in a transaction; it changes use by what it stores,
// and its refusals come before its first write.
type job struct {
	do   func(c *sqliteConn, use *Usage) error
	done chan error
}

// OpenSQLite opens the database in a folder, or makes it.
func OpenSQLite(cfg SQLiteConfig) (Engine, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("mailbox: folder: %w", err)
	}
	e := &sqliteEngine{
		bounds: cfg.Bounds.WithDefaults(),
		idle:   make(chan *sqliteConn, readers), jobs: make(chan *job), closed: make(chan struct{}),
	}
	if err := e.open(dir, cfg.MaxPages); err != nil {
		e.closeConns()
		return nil, err
	}
	e.wg.Go(e.write)
	return e, nil
}

func (e *sqliteEngine) open(dir string, maxPages int) error {
	lock, err := HoldFolder(dir)
	if err != nil {
		return err
	}
	e.lock = lock
	path := filepath.Join(dir, "mailbox.db")
	if err := makePrivate(path); err != nil {
		return err
	}
	if e.writer, err = openConn(path); err != nil {
		return err
	}
	if err := e.writer.prepare(maxPages); err != nil {
		return err
	}
	if e.usage, err = e.writer.usage(); err != nil {
		return err
	}
	for range readers {
		c, err := openConn(path)
		if err != nil {
			return err
		}
		e.idle <- c
		if err := c.sq.Exec("PRAGMA query_only=on"); err != nil {
			return translate(err)
		}
	}
	return syncDir(dir)
}

// HoldFolder makes a folder, if it is not there, and keeps other programs out of it
// until Close: by an exclusive transaction on a database of its own, which the system ends
// with the program, whatever ends that. The error is ErrInUse if another has it.
func HoldFolder(dir string) (io.Closer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("mailbox: folder: %w", err)
	}
	path := filepath.Join(dir, "mailbox.lock")
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	lock, err := sqlite3.Open(uri(path))
	if err != nil {
		return nil, translate(err)
	}
	if err := lock.Exec("PRAGMA journal_mode=memory; BEGIN EXCLUSIVE"); err != nil {
		lock.Close()
		if errors.Is(err, sqlite3.BUSY) {
			return nil, ErrInUse
		}
		return nil, translate(err)
	}
	return lock, nil
}

// makePrivate makes a file before SQLite does, which would let others read it.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return translate(err)
	}
	return f.Close()
}

// syncDir makes the names in a folder durable; systems that cannot do it for a
// folder do so by themselves.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return translate(err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, os.ErrPermission) && !errors.Is(err, syscall.EINVAL) {
		return translate(err)
	}
	return nil
}

func uri(path string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?modeof=" + url.PathEscape(filepath.ToSlash(path))
}

// prepare makes the tables, or refuses the file.
func (c *sqliteConn) prepare(maxPages int) error {
	app, err := c.number("PRAGMA application_id")
	if err != nil {
		return err
	}
	version, err := c.number("PRAGMA user_version")
	if err != nil {
		return err
	}
	switch {
	case app != 0 && app != application:
		return fmt.Errorf("mailbox: %s is no database of a mailbox", "mailbox.db")
	case version > schemaVersion:
		return ErrNewer
	}
	if err := c.sq.Exec(fmt.Sprintf("PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=%d; PRAGMA journal_size_limit=%d", logPages, logPages*4096)); err != nil {
		return translate(err)
	}
	if version == 0 {
		err := c.transact(func() error {
			return c.sq.Exec(schema + fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", application, schemaVersion))
		})
		if err != nil {
			return err
		}
	}
	if maxPages > 0 {
		return translate(c.sq.Exec(fmt.Sprintf("PRAGMA max_page_count=%d", maxPages)))
	}
	return nil
}

func (c *sqliteConn) usage() (u Usage, err error) {
	err = c.query("SELECT count(*), coalesce(sum(items), 0), coalesce(sum(bytes), 0) FROM drops", nil, func(s *sqlite3.Stmt) {
		u = Usage{s.ColumnInt64(0), s.ColumnInt64(1), s.ColumnInt64(2)}
	})
	return u, err
}

// write serves the jobs until Close.
func (e *sqliteEngine) write() {
	for {
		select {
		case j := <-e.jobs:
			e.commit(e.waiting(j))
		case <-e.closed:
			return
		}
	}
}

// waiting is first and the jobs that wait behind it.
func (e *sqliteEngine) waiting(first *job) []*job {
	batch := []*job{first}
	for len(batch) < batchJobs {
		select {
		case j := <-e.jobs:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

// commit does jobs in one transaction. When that fails each has one of its own, so
// that one that does not fit any more takes no other with it.
func (e *sqliteEngine) commit(batch []*job) {
	errs := make([]error, len(batch))
	e.mu.Lock()
	use := e.usage
	e.mu.Unlock()
	err := e.writer.transact(func() error {
		for i, j := range batch {
			if errs[i] = j.do(e.writer, &use); errs[i] != nil && !isRefusal(errs[i]) {
				return errs[i]
			}
		}
		return nil
	})
	if err != nil && len(batch) > 1 {
		for _, j := range batch {
			e.commit([]*job{j})
		}
		return
	}
	if err == nil {
		e.mu.Lock()
		e.usage = use
		e.mu.Unlock()
	}
	for i, j := range batch {
		if err != nil {
			errs[i] = err
		}
		j.done <- errs[i]
	}
}

func isRefusal(err error) bool {
	return errors.Is(err, ErrRefused) || errors.As(err, new(*FullError))
}

// submit has the writer do a job.
func (e *sqliteEngine) submit(ctx context.Context, do func(*sqliteConn, *Usage) error) error {
	j := &job{do: do, done: make(chan error, 1)}
	select {
	case <-e.closed:
		return ErrClosed
	default:
	}
	select {
	case e.jobs <- j:
		return <-j.done // it is being done: its outcome counts, whoever gives up
	case <-e.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read lends a connection to do.
func (e *sqliteEngine) read(ctx context.Context, do func(*sqliteConn) error) error {
	select {
	case c := <-e.idle:
		defer func() { e.idle <- c }()
		select {
		case <-e.closed:
			return ErrClosed
		default:
		}
		return do(c)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (e *sqliteEngine) Usage() Usage {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.usage
}

func (e *sqliteEngine) Close() error {
	var err error
	e.once.Do(func() {
		close(e.closed)
		e.wg.Wait()
		for range readers {
			c := <-e.idle
			err = errors.Join(err, c.close())
			defer func() { e.idle <- c }() // for reads that wait: they find it closed
		}
		err = errors.Join(err, e.writer.close(), e.lock.Close())
	})
	return err
}

// closeConns closes what open has opened.
func (e *sqliteEngine) closeConns() {
	for len(e.idle) > 0 {
		c := <-e.idle
		c.close()
	}
	if e.writer != nil {
		e.writer.close()
	}
	if e.lock != nil {
		e.lock.Close()
	}
}

// translate gives an error of SQLite the meaning callers branch on.
func translate(err error) error {
	switch {
	case err == nil || isRefusal(err):
		return err
	case errors.Is(err, sqlite3.FULL), errors.Is(err, sqlite3.IOERR_SHMSIZE), errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w (%w)", ErrDisk, err)
	default:
		return fmt.Errorf("mailbox: store: %w", err)
	}
}

// sqliteConn is one connection with its prepared statements; one goroutine at a
// time uses it.
type sqliteConn struct {
	sq    *sqlite3.Conn
	stmts map[string]*sqlite3.Stmt
}

func openConn(path string) (*sqliteConn, error) {
	sq, err := sqlite3.Open(uri(path))
	if err != nil {
		return nil, translate(err)
	}
	c := &sqliteConn{sq: sq, stmts: make(map[string]*sqlite3.Stmt)}
	err = errors.Join(sq.BusyTimeout(10*time.Second), sq.Exec(fmt.Sprintf(
		"PRAGMA temp_store=memory; PRAGMA cache_size=-%d; PRAGMA trusted_schema=off; PRAGMA synchronous=full; PRAGMA secure_delete=on", cacheKiB)))
	if err != nil {
		c.close()
		return nil, translate(err)
	}
	return c, nil
}

func (c *sqliteConn) close() error {
	for _, s := range c.stmts {
		s.Close()
	}
	return translate(c.sq.Close())
}

// query runs a statement and calls each for every row, if it is not nil.
func (c *sqliteConn) query(sql string, args []any, each func(*sqlite3.Stmt)) error {
	s := c.stmts[sql]
	if s == nil {
		var err error
		if s, _, err = c.sq.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return translate(err)
		}
		c.stmts[sql] = s
	}
	for i, a := range args {
		var err error
		switch a := a.(type) {
		case int64:
			err = s.BindInt64(i+1, a)
		case []byte:
			err = s.BindBlob(i+1, a)
		}
		if err != nil {
			return translate(err)
		}
	}
	for s.Step() {
		if each != nil {
			each(s)
		}
	}
	err := s.Err()
	s.Reset()
	s.ClearBindings()
	return translate(err)
}

func (c *sqliteConn) exec(sql string, args ...any) error { return c.query(sql, args, nil) }

func (c *sqliteConn) number(sql string, args ...any) (n int64, err error) {
	err = c.query(sql, args, func(s *sqlite3.Stmt) { n = s.ColumnInt64(0) })
	return n, err
}

// transact runs do in a transaction; on an error nothing of it stays.
func (c *sqliteConn) transact(do func() error) error {
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		err = c.exec("COMMIT")
	}
	if err != nil && !c.sq.GetAutocommit() { // a full disk may have ended it by itself
		c.sq.Exec("ROLLBACK")
	}
	return translate(err)
}
