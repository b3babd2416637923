package mailbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kith/internal/identity"
	"kith/internal/link"
)

// An Opener makes a link with a key of its own. A Client takes a new one for its
// one connection, so that connections cannot be joined by key.
type Opener func() (link.Link, error)

// A Client is one connection to a mailbox. Its methods may be called at once. Who
// does not want the mailbox to learn that two drops have a reader in common uses a
// Client for each of them, and for each turn another.
//
// Every method returns ErrLost when the connection ends first, *FullError when the
// mailbox has no room or gives no allowance now, ErrBroken, after which the Client
// is closed, when it answers what no mailbox answers, and the error of ctx.
type Client struct {
	link link.Link
	conn link.Conn
	wg   sync.WaitGroup
	once sync.Once

	mu    sync.Mutex // guards the rest; never held across a link write
	last  uint32     // the tag given out last
	asked map[uint32]question
	ended error // why no answer comes any more
}

// question is a request that waits for its answer.
type question struct {
	kind   kind
	after  uint64
	answer chan frame // holds one
}

// answers says which kind answers which.
var answers = map[kind]kind{
	kindMake: kindMade, kindPut: kindStored, kindFetch: kindPage,
	kindWait: kindNews, kindDelete: kindDone, kindAskRoom: kindRoom,
}

// Dial connects to a mailbox. The error is that of open or of the link.
func Dial(ctx context.Context, open Opener, to identity.Box) (*Client, error) {
	l, err := open()
	if err != nil {
		return nil, fmt.Errorf("mailbox: link: %w", err)
	}
	conn, err := l.Dial(ctx, link.Address{Peer: to.Peer, Hosts: to.Hosts})
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("mailbox: %w", err)
	}
	c := &Client{link: l, conn: conn, asked: make(map[uint32]question)}
	access := to.Access
	if err := conn.Write(ctx, frame{kind: kindHello, access: &access}.bytes()); err != nil {
		conn.Close()
		l.Close()
		return nil, c.failed(ctx, err)
	}
	c.wg.Go(c.receive)
	return c, nil
}

// Close ends the connection and waits for what the Client started.
func (c *Client) Close() error {
	c.once.Do(func() { c.conn.Close() })
	c.wg.Wait()
	return c.link.Close()
}

// receive hands answers to whoever asked.
func (c *Client) receive() {
	cause := ErrLost
	for {
		b, err := c.conn.Read(context.Background()) // ends with the connection
		if err != nil {
			break
		}
		if cause = c.take(b); cause != nil {
			break
		}
		cause = ErrLost
	}
	c.mu.Lock()
	c.ended = cause
	asked := c.asked
	c.asked = nil
	c.mu.Unlock()
	c.conn.Close()
	for _, q := range asked {
		close(q.answer)
	}
}

func (c *Client) take(b []byte) error {
	f, err := parseFrame(b)
	if err != nil {
		return ErrBroken
	}
	c.mu.Lock()
	q, ok := c.asked[f.tag]
	c.mu.Unlock()
	if !ok || f.kind != kindRefusal && f.kind != answers[q.kind] {
		return ErrBroken
	}
	if f.kind == kindPage && (len(f.items) > 0 && f.items[0].Position <= q.after || f.more && len(f.items) == 0) {
		return ErrBroken
	}
	c.mu.Lock()
	delete(c.asked, f.tag) // until here, so that whoever asked hears of a lie
	c.mu.Unlock()
	q.answer <- f
	return nil
}

// send writes a request and returns where its answer comes.
func (c *Client) send(ctx context.Context, f frame) (question, uint32, error) {
	c.mu.Lock()
	if c.ended != nil {
		defer c.mu.Unlock()
		return question{}, 0, c.ended
	}
	c.last++
	q := question{kind: f.kind, after: f.at, answer: make(chan frame, 1)}
	f.tag = c.last
	c.asked[f.tag] = q
	c.mu.Unlock()
	if err := c.conn.Write(ctx, f.bytes()); err != nil {
		return question{}, 0, c.failed(ctx, err)
	}
	return q, f.tag, nil
}

// failed is the error of a write that did not go.
func (c *Client) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("mailbox: %w", ctx.Err())
	}
	if errors.Is(err, link.ErrClosed) {
		return ErrLost
	}
	return fmt.Errorf("mailbox: %w", err)
}

// receiveAnswer waits for the answer.
func (c *Client) receiveAnswer(ctx context.Context, q question) (frame, error) {
	select {
	case f, ok := <-q.answer:
		if !ok {
			c.mu.Lock()
			defer c.mu.Unlock()
			return frame{}, c.ended
		}
		return f, f.refused()
	case <-ctx.Done(): // an answer that still comes is taken and dropped
		return frame{}, fmt.Errorf("mailbox: %w", ctx.Err())
	}
}

// refused is what a refusal says, or nil.
func (f frame) refused() error {
	switch {
	case f.kind != kindRefusal:
		return nil
	case f.why == whyRefused:
		return ErrRefused
	}
	return &FullError{What: Limit(f.why), Retry: time.Duration(f.retry) * time.Second}
}

func (c *Client) ask(ctx context.Context, f frame) (frame, error) {
	q, _, err := c.send(ctx, f)
	if err != nil {
		return frame{}, err
	}
	return c.receiveAnswer(ctx, q)
}

// Make makes the drop, to last for hours, or less where the mailbox keeps nothing so
// long. It is no error if it is there. The hour since 1970 at which it expires is
// returned.
func (c *Client) Make(ctx context.Context, k Keys, hours uint16) (expires uint32, err error) {
	f, err := c.ask(ctx, makeFrame(k, hours))
	return f.expiry, err
}

func makeFrame(k Keys, hours uint16) frame {
	return frame{kind: kindMake, drop: k.Drop, hours: min(max(hours, 1), MaxHours)}
}

// Put appends items, all or none, and returns the position of the last once they
// are durable. The error is ErrRefused when the drop is not there, ErrSize for items
// that no frame holds. After ErrLost they may be there: putting them again makes
// repeats, which a Cursor passes over.
func (c *Client) Put(ctx context.Context, k Keys, items ...[]byte) (last uint64, err error) {
	f, err := putFrame(k, items)
	if err != nil {
		return 0, err
	}
	f, err = c.ask(ctx, f)
	if err == nil && f.at < uint64(len(items)) {
		err = c.broken()
	}
	return f.at, err
}

func putFrame(k Keys, items [][]byte) (frame, error) {
	f := frame{kind: kindPut, name: k.Name, cap: k.Write}
	total := 0
	for _, i := range items {
		if sizeOf(i) == 0 {
			return frame{}, ErrSize
		}
		total += len(i)
		f.items = append(f.items, Item{Bytes: i})
	}
	if len(items) == 0 || len(items) > MaxItems || total > MaxBody {
		return frame{}, ErrSize
	}
	return f, nil
}

// MakeAndPut is Make and Put in one round trip.
func (c *Client) MakeAndPut(ctx context.Context, k Keys, hours uint16, items ...[]byte) (last uint64, err error) {
	put, err := putFrame(k, items)
	if err != nil {
		return 0, err
	}
	making, _, err := c.send(ctx, makeFrame(k, hours))
	if err != nil {
		return 0, err
	}
	putting, _, err := c.send(ctx, put)
	if err != nil {
		return 0, err
	}
	if _, err := c.receiveAnswer(ctx, making); err != nil {
		return 0, err
	}
	f, err := c.receiveAnswer(ctx, putting)
	if err == nil && f.at < uint64(len(items)) {
		err = c.broken()
	}
	return f.at, err
}

// Fetch returns the first items after a position; while More holds there are others
// after these. A Cursor tells what is new among them, and what is wrong.
func (c *Client) Fetch(ctx context.Context, k Keys, after uint64) (Page, error) {
	f, err := c.ask(ctx, frame{kind: kindFetch, name: k.Name, cap: k.Read, at: after})
	return Page{Items: f.items, End: f.at, More: f.more}, err
}

// Wait returns the end of the drop once that is after a position, or when the time is
// over, which is between a second and MaxWait.
func (c *Client) Wait(ctx context.Context, k Keys, after uint64, most time.Duration) (end uint64, err error) {
	most = min(max(most, time.Second), MaxWait)
	f, err := c.ask(ctx, frame{kind: kindWait, name: k.Name, cap: k.Read, at: after, wait: uint16(most / time.Second)})
	return f.at, err
}

// Delete deletes the items up to a position, once the reader has them safe. The error
// is ErrRefused for a drop that is kept for all.
func (c *Client) Delete(ctx context.Context, k Keys, upTo uint64) error {
	_, err := c.ask(ctx, frame{kind: kindDelete, name: k.Name, cap: k.Read, at: upTo})
	return err
}

// Room asks what the mailbox offers.
func (c *Client) Room(ctx context.Context) (Room, error) {
	f, err := c.ask(ctx, frame{kind: kindAskRoom})
	return f.room, err
}

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.conn.Done() }

// broken ends the connection to a mailbox that lies.
func (c *Client) broken() error {
	c.conn.Close()
	return ErrBroken
}
