package mailnats

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"sync"
	"time"

	"kith/internal/mailbox"
)

// engine is a mailbox.Engine on a stream.
type engine struct {
	bounds mailbox.Bounds
	log    *slog.Logger
	lock   io.Closer // holds the folder
	stream stream
	index  index
	turns  [1024]chan struct{} // by the first bytes of a drop's name: one change of a drop at a time; full while it is made
	ctx    context.Context     // of all that runs; ends with Close
	end    context.CancelFunc
	wg     sync.WaitGroup
	once   sync.Once
	calls  sync.RWMutex // held for reading by each call: Close waits for them
}

const (
	// oneTry bounds one request to the servers: a new leader is there within some seconds.
	oneTry = 5 * time.Second
	// allTries bounds a call.
	allTries = 30 * time.Second
	// tryAgain is what lies between two tries, and followAgain between two at following the stream.
	tryAgain    = 200 * time.Millisecond
	followAgain = 2 * time.Second
	// maxDrops bounds the drops where nothing else is said: 600 MB of memory.
	maxDrops = 1_000_000
	// retryFull is when it is worth to come again to what is full.
	retryFull = time.Hour
)

// ErrCluster: the servers did not answer in time. What was to be written may be there.
var ErrCluster = errors.New("mailnats: the servers of the mailbox do not answer")

// begin opens a call; end must be called.
func (e *engine) begin(ctx context.Context) (_ context.Context, end func(), err error) {
	e.calls.RLock()
	if e.ctx.Err() != nil {
		e.calls.RUnlock()
		return nil, nil, mailbox.ErrClosed
	}
	ctx, cancel := context.WithTimeoutCause(ctx, allTries, ErrCluster)
	ctx, closed := context.WithCancelCause(ctx)
	stop := context.AfterFunc(e.ctx, func() { closed(mailbox.ErrClosed) })
	return ctx, func() { stop(); closed(nil); cancel(); e.calls.RUnlock() }, nil
}

// insist does something until it is done, refused, or ctx ends; while the servers choose a new
// leader nothing is answered.
func insist(ctx context.Context, do func() error) error {
	for {
		err := do()
		if !errors.Is(err, errUnsure) {
			return err
		}
		select {
		case <-time.After(tryAgain):
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		}
	}
}

// renew asks the servers for the newest record of a drop. One that has expired is not there any
// more: it is deleted, if that was not done yet.
func (e *engine) renew(ctx context.Context, name mailbox.Name) error {
	return insist(ctx, func() error {
		_, before, _ := e.index.find(name)
		m, found, err := e.stream.newest(ctx, name)
		switch {
		case err != nil:
			return err
		case !found:
			e.index.forget(name, before)
		case e.index.isOver(m.expires):
			if err := e.stream.purge(ctx, name, m.seq+1); err != nil {
				return err
			}
			e.index.forget(name, before)
		default:
			e.index.replace(name, m.record, m.seq, before)
		}
		return nil
	})
}

// known returns the newest record of a drop, and its message's sequence number. One that is not
// known here is asked for.
func (e *engine) known(ctx context.Context, name mailbox.Name) (record, uint64, bool, error) {
	r, seq, ok := e.index.find(name)
	if !ok {
		if err := e.renew(ctx, name); err != nil {
			return record{}, 0, false, err
		}
		r, seq, ok = e.index.find(name)
	}
	return r, seq, ok, nil
}

// change appends a change to a drop. made makes it from the newest record, if there is one; it may
// be called several times. The error is made's, or of the servers. A change without an id is none.
func (e *engine) change(ctx context.Context, name mailbox.Name, made func(r record, found bool) (record, []byte, error)) (r record, seq uint64, err error) {
	turn := e.turns[(uint(name[0])<<8|uint(name[1]))%uint(len(e.turns))]
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return record{}, 0, context.Cause(ctx)
	}
	for {
		before, last, found, err := e.known(ctx, name)
		if err != nil {
			return record{}, 0, err
		}
		r, body, err := made(before, found)
		if err != nil || r.id == before.id {
			return before, last, err
		}
		seq, err := e.put(ctx, name, r, body, last)
		if err == nil {
			e.index.learn(name, r, seq)
			return r, seq, nil
		}
		if !errors.Is(err, errConflict) {
			return record{}, 0, err
		}
		if err := e.renew(ctx, name); err != nil {
			return record{}, 0, err
		}
	}
}

// put appends a change until it is known whether it is in the stream. There it can only be the
// very next one of its drop after last.
func (e *engine) put(ctx context.Context, name mailbox.Name, r record, body []byte, last uint64) (seq uint64, err error) {
	unsure := false
	err = insist(ctx, func() error {
		seq, err = e.stream.append(ctx, name, r, body, last)
		if errors.Is(err, errConflict) && unsure {
			m, found, asked := e.stream.askLeader(ctx, request{Seq: last + 1, Next: subject(name)})
			if asked != nil {
				return asked
			}
			if found && m.id == r.id {
				seq, err = m.seq, nil
			}
		}
		unsure = unsure || errors.Is(err, errUnsure)
		return err
	})
	return seq, err
}

func (e *engine) Make(ctx context.Context, d mailbox.Drop, hour uint32) (mailbox.Held, error) {
	ctx, end, err := e.begin(ctx)
	if err != nil {
		return mailbox.Held{}, err
	}
	defer end()
	release, room := e.index.keepRoom(1, 0, e.bounds)
	defer release()
	r, _, err := e.change(ctx, d.Name(), func(r record, found bool) (record, []byte, error) {
		switch {
		case found:
			return r, nil, nil
		case !room:
			return r, nil, &mailbox.FullError{What: mailbox.LimitAll, Retry: retryFull}
		}
		return record{id: newID(), drop: d, expires: hour}, nil, nil
	})
	return r.held(), err
}

func newID() (id [16]byte) {
	rand.Read(id[:])
	return id
}

func (e *engine) Find(ctx context.Context, name mailbox.Name) (mailbox.Held, bool, error) {
	ctx, end, err := e.begin(ctx)
	if err != nil {
		return mailbox.Held{}, false, err
	}
	defer end()
	r, _, found, err := e.known(ctx, name)
	return r.held(), found, err
}

func (e *engine) Put(ctx context.Context, name mailbox.Name, items [][]byte) (uint64, error) {
	ctx, end, err := e.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	body := bytes.Join(items, nil)
	sizes := make([]uint8, len(items))
	for i, item := range items {
		sizes[i] = sizeClass(item)
	}
	count := int64(len(items))
	release, room := e.index.keepRoom(0, int64(len(body)), e.bounds)
	defer release()
	r, _, err := e.change(ctx, name, func(r record, found bool) (record, []byte, error) {
		switch {
		case !found:
			return r, nil, mailbox.ErrRefused
		case r.items()+count > e.bounds.DropItems, int64(r.bytes)+int64(len(body)) > e.bounds.DropBytes, r.end+uint64(count) > math.MaxUint32:
			return r, nil, &mailbox.FullError{What: mailbox.LimitDrop, Retry: retryFull}
		case !room:
			return r, nil, &mailbox.FullError{What: mailbox.LimitAll, Retry: retryFull}
		}
		r.id, r.sizes = newID(), sizes
		r.end, r.bytes = r.end+uint64(count), r.bytes+uint64(len(body))
		return r, body, nil
	})
	if err != nil {
		return 0, err
	}
	return r.end, nil
}

func (e *engine) Fetch(ctx context.Context, name mailbox.Name, after uint64) (mailbox.Page, error) {
	ctx, end, err := e.begin(ctx)
	if err != nil {
		return mailbox.Page{}, err
	}
	defer end()
	r, _, found, err := e.known(ctx, name)
	if err == nil && found && after > r.end { // it was put by way of another mailbox, a moment ago
		if err = e.renew(ctx, name); err == nil {
			r, _, found, err = e.known(ctx, name)
		}
	}
	if err != nil {
		return mailbox.Page{}, err
	}
	if !found {
		return mailbox.Page{}, mailbox.ErrRefused
	}
	page, size := mailbox.Page{End: r.end}, 0
	err = e.walk(ctx, name, r, after, func(item mailbox.Item) bool {
		if len(page.Items) == mailbox.MaxItems || len(page.Items) > 0 && size+len(item.Bytes) > mailbox.MaxBody {
			page.More = true
			return false
		}
		size += len(item.Bytes)
		page.Items = append(page.Items, item)
		return true
	})
	if err != nil && !errors.Is(err, errGone) { // deleted, or expired, by way of another mailbox
		return mailbox.Page{}, err
	}
	return page, nil
}

// walk calls each for the items of a drop after a position, up to r's end, until it returns false.
// The error is errGone where the stream has one no more.
func (e *engine) walk(ctx context.Context, name mailbox.Name, r record, after uint64, each func(mailbox.Item) bool) error {
	at := max(after, r.floor)
	seq := e.index.before(name, at+1)
	for at < r.end {
		var m message
		err := insist(ctx, func() (err error) {
			var found bool
			if m, found, err = e.stream.next(ctx, name, seq, at); err == nil && !found {
				err = errGone
			}
			return err
		})
		if err != nil {
			return err
		}
		e.index.notePlace(name, m.record, m.seq)
		items, err := m.cut(m.body)
		if err != nil {
			return err
		}
		for _, item := range items {
			if item.Position > at {
				if item.Position > r.end || !each(item) {
					return nil
				}
				at = item.Position
			}
		}
		seq = m.seq + 1
	}
	return nil
}

// errGone says that the stream has no such message.
var errGone = errors.New("mailnats: the message is not there any more")

func (e *engine) Delete(ctx context.Context, name mailbox.Name, upTo uint64) error {
	ctx, end, err := e.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	r, seq, err := e.change(ctx, name, func(r record, found bool) (record, []byte, error) {
		if !found {
			return r, nil, mailbox.ErrRefused
		}
		if upTo <= r.floor || r.floor == r.end {
			return r, nil, nil
		}
		left := uint64(0)
		if err := e.walk(ctx, name, r, upTo, func(i mailbox.Item) bool { left += uint64(len(i.Bytes)); return true }); err != nil {
			return r, nil, err
		}
		r.id, r.floor, r.bytes = newID(), min(upTo, r.end), left
		return r, nil, nil
	})
	if err != nil {
		return err
	}
	if r.floor < r.end {
		seq = e.index.before(name, r.floor+1)
	}
	return insist(ctx, func() error { return e.stream.purge(ctx, name, seq) })
}

func (e *engine) Expire(ctx context.Context, hour uint32) error {
	for name, newest := range e.index.over(hour) {
		ctx, end, err := e.begin(ctx)
		if err != nil {
			return err
		}
		err = insist(ctx, func() error { return e.stream.purge(ctx, name, newest+1) }) // one that was made anew stays
		end()
		if err != nil {
			return err
		}
		e.index.forget(name, newest)
	}
	return nil
}

func (e *engine) Usage() mailbox.Usage { return e.index.used() }

// OnPut has tell called for each put, also by way of other mailboxes. It is called before anybody
// uses the engine.
func (e *engine) OnPut(tell func(mailbox.Name)) {
	e.index.mu.Lock()
	defer e.index.mu.Unlock()
	e.index.tell = tell
}

// Servers says how the servers are.
func (e *engine) Servers(ctx context.Context) []mailbox.ServerState { return e.stream.servers(ctx) }

func (e *engine) Close() (err error) {
	e.once.Do(func() {
		e.end()
		e.calls.Lock() // calls end with e.ctx
		defer e.calls.Unlock()
		e.wg.Wait()
		e.stream.nc.Close()
		err = e.lock.Close()
	})
	return err
}
