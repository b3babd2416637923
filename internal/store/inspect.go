package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/ncruces/go-sqlite3"
	"lukechampine.com/adiantum"
)

// The first bytes of SQLite's three kinds of files (SQLite file format,
// sections 1.3, 3 and 4.1). Of the log, the version 3007000 and the page size
// follow the magic number; four bytes alone would let a wrong key pass once in
// 2^32 times.
const (
	magicDatabase      = "SQLite format 3\x00"
	magicJournal       = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
	magicLogLittle     = "\x37\x7f\x06\x82" + versionAndPageSize
	magicLogBig        = "\x37\x7f\x06\x83" + versionAndPageSize
	versionAndPageSize = "\x00\x2d\xe2\x18" + "\x00\x00\x10\x00"
)

// Where the header of a database has the version and the id of its application
// (SQLite file format, section 1.3).
const (
	versionOffset = 60
	idOffset      = 68
)

// made is what the lock file holds once the database beside it has been made:
// an empty or absent database is then damage, not a first start.
const made = "kith store 1\n"

// finding is what inspect learnt of a database it let pass.
type finding struct {
	// short: pages are missing at the end of the file. After a crash in a
	// checkpoint the log has them; start looks whether it does.
	short bool
}

// inspect reads the files of a database before SQLite may, and refuses those
// that the key does not fit or that are cut off. It changes nothing.
func inspect(path string, cfg Config, lock *os.File) (finding, error) {
	first, size, err := firstPage(path, cfg)
	if err != nil {
		return finding{}, err
	}
	log, logSize, err := firstPage(path+"-wal", cfg)
	if err != nil {
		return finding{}, err
	}
	journal, journalSize, err := firstPage(path+"-journal", cfg)
	if err != nil {
		return finding{}, err
	}
	if size == 0 {
		return finding{}, inspectEmpty(path, lock, logSize)
	}
	keyed := bytes.HasPrefix(first, []byte(magicDatabase)) ||
		bytes.HasPrefix(log, []byte(magicLogLittle)) ||
		bytes.HasPrefix(log, []byte(magicLogBig)) ||
		bytes.HasPrefix(journal, []byte(magicJournal))
	if size < pageSize && journalSize == 0 {
		// SQLite would take the file for empty and delete the log.
		return finding{}, fmt.Errorf("%w: %s is cut off after %d bytes", ErrDamaged, path, size)
	}
	if !keyed {
		return finding{}, ErrWrongKey
	}
	if journalSize > 0 {
		return finding{}, nil // killed in its first seconds: SQLite rolls back
	}
	if logSize == 0 && newer(first) {
		return finding{}, ErrNewer
	}
	short := size%pageSize != 0 || size < pageSize*declaredPages(first)
	if short && logSize == 0 {
		return finding{}, fmt.Errorf("%w: %s is cut off after %d bytes", ErrDamaged, path, size)
	}
	return finding{short: short}, nil
}

// inspectEmpty decides whether an empty or absent database is a first start.
func inspectEmpty(path string, lock *os.File, logSize int64) error {
	if logSize > 0 {
		return fmt.Errorf("%w: %s is empty, yet its log is not", ErrDamaged, path)
	}
	text := make([]byte, len(made))
	if _, err := lock.ReadAt(text, 0); err == nil && string(text) == made {
		return fmt.Errorf("%w: %s is empty or gone; remove %s.lock to start anew", ErrDamaged, path, path)
	}
	return nil
}

// markMade notes in the lock file that there is a database.
func markMade(lock *os.File) error {
	if fi, err := lock.Stat(); err != nil || fi.Size() == int64(len(made)) {
		return err
	}
	_, err := lock.WriteAt([]byte(made), 0)
	return errors.Join(err, lock.Sync())
}

// firstPage returns the first page of a file, decrypted, and the file's size;
// nothing and 0 if there is no such file. A page that is cut off cannot be
// decrypted and comes back empty.
func firstPage(path string, cfg Config) ([]byte, int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("store: %w", err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("store: %w", err)
	}
	page := make([]byte, pageSize)
	n, err := io.ReadFull(f, page)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, 0, fmt.Errorf("store: %w", err)
	}
	if cfg.Plain {
		return page[:n], fi.Size(), nil
	}
	if n < pageSize {
		return nil, fi.Size(), nil
	}
	var offset [8]byte // the cipher's tweak: where in the file the block stands
	return adiantum.New(cfg.Key.b[:]).Decrypt(page, offset[:]), fi.Size(), nil
}

// newer reports whether a newer program wrote the first page. Once SQLite has
// opened the file, files of its own lie beside it; so it is asked before, where
// no log can say otherwise. [checkVersion] asks again.
func newer(first []byte) bool {
	return binary.BigEndian.Uint32(first[idOffset:]) == application && binary.BigEndian.Uint32(first[versionOffset:]) > uint32(len(migrations))
}

// declaredPages is the size in pages that the header of a database names
// (SQLite file format, section 1.3, offset 28).
func declaredPages(first []byte) int64 {
	return int64(binary.BigEndian.Uint32(first[28:32]))
}

// quickCheck reads every page and refuses a database with pages missing. It
// runs only if the file is shorter than its header says: after a crash, or a
// cut.
func quickCheck(c *conn) error {
	ok := false
	err := c.query("PRAGMA quick_check(1)", nil, func(s *sqlite3.Stmt) error {
		ok = s.ColumnText(0) == "ok"
		return nil
	})
	if err == nil && !ok {
		err = fmt.Errorf("%w: pages are missing", ErrDamaged)
	}
	return err
}
