package store

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/fts5"
)

// conn is one connection with its prepared statements. One goroutine uses it
// at a time.
type conn struct {
	sq    *sqlite3.Conn
	stmts map[string]*sqlite3.Stmt
}

// openConn opens the database at path, or one in memory if path is empty.
func openConn(path string, cfg Config) (*conn, error) {
	name := ":memory:"
	if path != "" {
		registerVFS()
		name = uri(path, cfg)
	}
	sq, err := sqlite3.Open(name)
	if err != nil {
		return nil, translate(err)
	}
	c := &conn{sq: sq, stmts: map[string]*sqlite3.Stmt{}}
	err = c.configure(path, cfg)
	if err == nil {
		err = translate(fts5.Register(sq))
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// uri names the file, the file system that encrypts it, and the file whose
// permissions the log takes over.
func uri(path string, cfg Config) string {
	slashed := filepath.ToSlash(path)
	query := url.Values{"modeof": {slashed}, "vfs": {cfg.vfs()}}
	encoded := strings.ReplaceAll(query.Encode(), "+", "%20") // SQLite knows no other space
	return "file:" + (&url.URL{Path: slashed}).EscapedPath() + "?" + encoded
}

func (c *conn) configure(path string, cfg Config) error {
	if path != "" && !cfg.Plain {
		// The key must come first: until then the file looks empty.
		err := c.sq.Exec("PRAGMA hexkey='" + hex.EncodeToString(cfg.Key.b[:]) + "'")
		if err != nil {
			return ErrWrongKey // the engine's own words might repeat the statement
		}
	}
	if path != "" {
		// Until the file has passed every check, closing must not touch it.
		if _, err := c.sq.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true); err != nil {
			return translate(err)
		}
	}
	if err := c.sq.BusyTimeout(busyTimeout); err != nil {
		return translate(err)
	}
	return translate(c.sq.Exec(fmt.Sprintf(`
		PRAGMA temp_store=memory;
		PRAGMA cache_size=-%d;
		PRAGMA trusted_schema=off;
		PRAGMA synchronous=%s;
		PRAGMA secure_delete=on`, cacheKiB, synchronous)))
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.Close()
	}
	clear(c.stmts)
	return translate(c.sq.Close())
}

// prepared returns the statement of sql, compiled at its first use.
func (c *conn) prepared(sql string) (*sqlite3.Stmt, error) {
	if s := c.stmts[sql]; s != nil {
		return s, nil
	}
	s, _, err := c.sq.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, translate(err)
	}
	c.stmts[sql] = s
	return s, nil
}

// exec runs a statement that returns no rows.
func (c *conn) exec(sql string, args ...any) error {
	return c.query(sql, args, nil)
}

// query runs a statement and calls each for every row of the result. It must
// not run again inside its own each.
func (c *conn) query(sql string, args []any, each func(*sqlite3.Stmt) error) error {
	s, err := c.prepared(sql)
	if err != nil {
		return err
	}
	for i, a := range args {
		if err := bind(s, i+1, a); err != nil {
			return translate(err)
		}
	}
	var stopped error
	for s.Step() {
		if each == nil {
			continue
		}
		if stopped = each(s); stopped != nil {
			break
		}
	}
	err = s.Err()
	s.Reset()
	s.ClearBindings() // large values must not stay in memory
	if stopped != nil {
		return stopped
	}
	return translate(err)
}

func bind(s *sqlite3.Stmt, i int, a any) error {
	switch a := a.(type) {
	case int64:
		return s.BindInt64(i, a)
	case []byte:
		return s.BindBlob(i, a) // nil is an empty blob
	case string:
		return s.BindText(i, a)
	default:
		panic(fmt.Sprintf("store: no column holds a %T", a))
	}
}

// number runs a statement that returns at most one number.
func (c *conn) number(sql string, args ...any) (n int64, found bool, err error) {
	err = c.query(sql, args, func(s *sqlite3.Stmt) error {
		n, found = s.ColumnInt64(0), true
		return nil
	})
	return n, found, err
}

// transact runs do in a transaction that begin starts. On an error or a panic
// nothing of it stays.
func (c *conn) transact(begin string, do func() error) (err error) {
	if err := c.exec(begin); err != nil {
		return err
	}
	done := false
	defer func() {
		// A full disk may have ended the transaction by itself.
		if !done && !c.sq.GetAutocommit() {
			c.sq.Exec("ROLLBACK")
		}
	}()
	if err := do(); err != nil {
		return err
	}
	if err := c.exec("COMMIT"); err != nil {
		return err
	}
	done = true
	return nil
}

// vfs names the file system of SQLite that a database lies on.
func (cfg Config) vfs() string {
	switch {
	case cfg.base != "":
		return cfg.base
	case cfg.Plain:
		return vfsPlain
	default:
		return vfsEncrypted
	}
}
