package mailbox

import "context"

// An Engine keeps drops and items. It knows no capability, no client and no
// clock. Every implementation passes the suite of engine_test.go. All methods
// may be called at once; what they returned nil for is durable.
type Engine interface {
	// Make makes the drop d, to expire at hour. One that is there already stays as it
	// is. The error is a *FullError when there are too many.
	Make(ctx context.Context, d Drop, hour uint32) (Held, error)

	// Find returns a drop, or false.
	Find(ctx context.Context, name Name) (Held, bool, error)

	// Put appends items, all or none, and returns the position of the last. The error is
	// ErrRefused when there is no such drop, a *FullError when a bound would be passed.
	Put(ctx context.Context, name Name, items [][]byte) (uint64, error)

	// Fetch returns the first items after a position: at least one if there is any,
	// at most MaxItems and MaxBody.
	Fetch(ctx context.Context, name Name, after uint64) (Page, error)

	// Delete deletes the items up to a position. Their positions are not used again.
	Delete(ctx context.Context, name Name, upTo uint64) error

	// Expire deletes the drops that expire at hour or before, and their items.
	Expire(ctx context.Context, hour uint32) error

	// Usage is what is stored.
	Usage() Usage

	// Close waits for calls that run. Later ones return ErrClosed.
	Close() error
}

// An engine that several mailboxes may serve at once is also Shared.
type Shared interface {
	// OnPut has tell called for each put, by way of whichever mailbox. It is called once,
	// before the engine is used.
	OnPut(tell func(Name))

	// Servers says how those are that keep the items; none if they do not answer.
	Servers(ctx context.Context) []ServerState
}

// A ServerState is how one of the servers of a Shared engine is.
type ServerState struct {
	Name   string `json:"name"`
	Leads  bool   `json:"leads"`  // it takes what is put
	Here   bool   `json:"here"`   // the others hear from it
	Behind uint64 `json:"behind"` // how many changes it has yet to take over
}

// Held is a drop as an engine keeps it.
type Held struct {
	Drop
	Expires uint32 // hour since 1970
	End     uint64 // the last position given out
}

// A Page is some items of a drop.
type Page struct {
	Items []Item
	End   uint64 // the last position given out
	More  bool   // there are items after these
}

// Usage is what an engine holds.
type Usage struct {
	Drops int64 `json:"drops"`
	Items int64 `json:"items"`
	Bytes int64 `json:"bytes"` // of items
}

// Bounds are what an engine holds at most. A zero stands for the default.
type Bounds struct {
	Bytes     int64 // of all items
	Drops     int64
	DropItems int64
	DropBytes int64
}

// WithDefaults returns b with the defaults in place of zeros.
func (b Bounds) WithDefaults() Bounds {
	for _, f := range []struct {
		at    *int64
		value int64
	}{{&b.Bytes, DefaultBytes}, {&b.Drops, maxDrops}, {&b.DropItems, dropItems}, {&b.DropBytes, dropBytes}} {
		if *f.at == 0 {
			*f.at = f.value
		}
	}
	return b
}
