package mailbox

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"kith/internal/identity"
	"kith/internal/link"
)

// A liar is a mailbox that speaks the protocol over real links and lies. It holds one
// drop, as the honest one would, and bends what it answers.
type liar struct {
	mu    sync.Mutex // guards the rest
	items []Item
	last  uint64
	bend  func(asked frame, honest frame) []frame // what it answers instead
}

func (l *liar) honest(f frame) frame {
	switch f.kind {
	case kindMake:
		return frame{kind: kindMade, tag: f.tag, expiry: hourNow() + 24}
	case kindPut:
		for _, i := range f.items {
			l.last++
			l.items = append(l.items, Item{l.last, bytes.Clone(i.Bytes)})
		}
		return frame{kind: kindStored, tag: f.tag, at: l.last}
	case kindFetch:
		a := frame{kind: kindPage, tag: f.tag, at: l.last}
		for _, i := range l.items {
			if i.Position > f.at {
				a.items = append(a.items, i)
			}
		}
		return a
	case kindWait:
		return frame{kind: kindNews, tag: f.tag, at: l.last}
	}
	return frame{kind: kindDone, tag: f.tag}
}

func (l *liar) answer(f frame) []frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	honest := l.honest(f)
	if l.bend == nil {
		return []frame{honest}
	}
	return l.bend(f, honest)
}

// lie changes what it holds or how it bends it.
func (l *liar) lie(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// run serves connections one after the other.
func (l *liar) run(ctx context.Context, on link.Link) {
	for {
		c, err := on.Accept(ctx)
		if err != nil {
			return
		}
		for {
			b, err := c.Read(ctx)
			if err != nil {
				break
			}
			f, err := parseFrame(b)
			if err != nil || f.kind == kindHello {
				continue
			}
			answers := l.answer(f)
			if answers == nil {
				break
			}
			for _, a := range answers {
				c.Write(ctx, a.bytes())
			}
		}
		c.Close()
	}
}

// lying starts l on loopback and returns how to reach it.
func lying(t *testing.T, l *liar) identity.Box {
	t.Helper()
	on, err := link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); l.run(ctx, on) }()
	t.Cleanup(func() { cancel(); on.Close(); <-done })
	return identity.Box{Peer: on.Address().Peer, Hosts: on.Address().Hosts}
}

func visitLiar(t *testing.T, to identity.Box) *Client {
	t.Helper()
	c, err := Dial(t.Context(), func() (link.Link, error) {
		return link.NewDirect(link.DirectConfig{Listen: "127.0.0.1:0"})
	}, to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func little(n byte) []byte { return bytes.Repeat([]byte{n}, Sizes[0]) }

// posted is a liar with three items by one poster.
func posted(t *testing.T) (*liar, *Client, Keys) {
	t.Helper()
	l, k := new(liar), Derive(fill(1), true)
	c := visitLiar(t, lying(t, l))
	last, err := c.MakeAndPut(t.Context(), k, 24, little(1), little(2), little(3))
	if err != nil || last != 3 {
		t.Fatal(last, err)
	}
	return l, c, k
}

// read fetches after the cursor and takes it.
func read(t *testing.T, c *Client, k Keys, cur *Cursor) Taken {
	t.Helper()
	p, err := c.Fetch(t.Context(), k, cur.After)
	if err != nil {
		t.Fatal(err)
	}
	return cur.Take(p, k.Drop.Keep)
}

func TestHonest(t *testing.T) {
	_, c, k := posted(t)
	var cur Cursor
	if got := read(t, c, k, &cur); len(got.New) != 3 || got.Missing != 0 || got.Back || cur.After != 3 {
		t.Errorf("%d, %+v", len(got.New), got)
	}
}

// TestDrops: an item is acknowledged and thrown away. The reader sees the gap.
func TestDrops(t *testing.T) {
	l, c, k := posted(t)
	l.lie(func() {
		l.items = append(l.items[:1:1], l.items[2])
	})
	var cur Cursor
	if got := read(t, c, k, &cur); len(got.New) != 2 || got.Missing != 1 || cur.Missing != 1 {
		t.Errorf("%d new, %d missing", len(got.New), got.Missing)
	}
}

// TestDropsLast: the end says more than there is.
func TestDropsLast(t *testing.T) {
	l, c, k := posted(t)
	l.lie(func() {
		l.items = l.items[:2]
	})
	var cur Cursor
	if got := read(t, c, k, &cur); len(got.New) != 2 || got.Missing != 1 {
		t.Errorf("%d new, %d missing", len(got.New), got.Missing)
	}
}

// TestRepeats: the same items again, at new positions, also after a restart of the reader.
func TestRepeats(t *testing.T) {
	l, c, k := posted(t)
	var cur Cursor
	read(t, c, k, &cur)
	l.lie(func() {
		l.items = append(l.items, Item{4, little(1)}, Item{5, little(2)})
	})
	l.lie(func() {
		l.last = 5
	})
	cur.Seen = SeenOf(cur.Seen.Hashes())
	if got := read(t, c, k, &cur); len(got.New) != 0 || cur.Repeats != 2 || cur.After != 5 {
		t.Errorf("%d new, %d repeats", len(got.New), cur.Repeats)
	}
}

// TestReorders: items change places. All are read.
func TestReorders(t *testing.T) {
	l, c, k := posted(t)
	l.lie(func() {
		l.items[0].Bytes, l.items[2].Bytes = l.items[2].Bytes, l.items[0].Bytes
	})
	var cur Cursor
	if got := read(t, c, k, &cur); len(got.New) != 3 || got.Missing != 0 {
		t.Errorf("%d new", len(got.New))
	}
}

// TestFallingPositions: what no honest mailbox can send ends the connection.
func TestFallingPositions(t *testing.T) {
	for name, bend := range map[string]func(asked, honest frame) []frame{
		"falling":         func(_, h frame) []frame { h.items[0], h.items[1] = h.items[1], h.items[0]; return []frame{h} },
		"already read":    func(_, h frame) []frame { h.items[0].Position = 1; return []frame{h} },
		"another kind":    func(_, h frame) []frame { return []frame{{kind: kindDone, tag: h.tag}} },
		"another tag":     func(_, h frame) []frame { h.tag += 7; return []frame{h} },
		"twice":           func(_, h frame) []frame { return []frame{h, h} },
		"more of nothing": func(_, h frame) []frame { h.items, h.more = nil, true; return []frame{h} },
	} {
		l, c, k := posted(t)
		l.lie(func() {
			l.bend = bend
		})
		after := uint64(0)
		if name == "already read" {
			after = 1
		}
		_, err := c.Fetch(t.Context(), k, after)
		if name == "twice" && err == nil { // the second comes unasked
			<-c.Done()
			_, err = c.Fetch(t.Context(), k, 0)
		}
		if !errors.Is(err, ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReplays: items of another day's drop do not pass for new ones where what was seen is
// carried over.
func TestReplays(t *testing.T) {
	l, c, k := posted(t)
	var monday Cursor
	read(t, c, k, &monday)
	l.lie(func() {
		l.items, l.last = []Item{{1, little(2)}, {2, little(9)}}, 2
	})
	tuesday := Cursor{Seen: monday.Seen}
	if got := read(t, c, Derive(fill(2), true), &tuesday); len(got.New) != 1 || tuesday.Repeats != 1 {
		t.Errorf("%d new, %d repeats", len(got.New), tuesday.Repeats)
	}
}

// TestFillsUp: full says for how long.
func TestFillsUp(t *testing.T) {
	l, c, k := posted(t)
	l.lie(func() {
		l.bend = func(_, h frame) []frame {
			return []frame{{kind: kindRefusal, tag: h.tag, why: uint8(LimitAll), retry: 3600}}
		}
	})
	_, err := c.Put(t.Context(), k, little(4))
	if full, ok := errors.AsType[*FullError](err); !ok || full.What != LimitAll || full.Retry != time.Hour {
		t.Errorf("%v", err)
	}
}

// TestLiesEmpty: it says that the drop is empty. Who read it before sees it go back; who never
// did sees nothing.
func TestLiesEmpty(t *testing.T) {
	l, c, k := posted(t)
	var cur Cursor
	read(t, c, k, &cur)
	l.lie(func() {
		l.bend = func(_, h frame) []frame { h.items, h.at = nil, 0; return []frame{h} }
	})
	if got := read(t, c, k, &cur); !got.Back || cur.After != 0 {
		t.Errorf("%+v", got)
	}
	var fresh Cursor
	if got := read(t, c, k, &fresh); got.Back || len(got.New) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestHidesNew: news are told of and not handed out: that is a gap, not silence.
func TestHidesNew(t *testing.T) {
	l, c, k := posted(t)
	l.lie(func() {
		l.bend = func(_, h frame) []frame { h.items = nil; return []frame{h} }
	})
	var cur Cursor
	if got := read(t, c, k, &cur); got.Missing != 3 {
		t.Errorf("%+v", got)
	}
}

// TestDies: the connection ends in the middle, and the mailbox comes back with nothing.
func TestDies(t *testing.T) {
	l := new(liar)
	to := lying(t, l)
	c, k := visitLiar(t, to), Derive(fill(1), true)
	if _, err := c.MakeAndPut(t.Context(), k, 24, little(1)); err != nil {
		t.Fatal(err)
	}
	var cur Cursor
	read(t, c, k, &cur)
	l.lie(func() {
		l.bend = func(_, _ frame) []frame { return nil }
	})
	if _, err := c.Put(t.Context(), k, little(2)); !errors.Is(err, ErrLost) {
		t.Fatalf("the connection ended: %v", err)
	}
	if _, err := c.Fetch(t.Context(), k, 0); !errors.Is(err, ErrLost) {
		t.Fatalf("after the end: %v", err)
	}
	// Back, without drops: the client's word is that there is no such drop.
	l.lie(func() {
		l.items, l.last = nil, 0
		l.bend = func(asked, h frame) []frame {
			if asked.kind == kindMake {
				return []frame{h}
			}
			return []frame{{kind: kindRefusal, tag: h.tag, why: whyRefused}}
		}
	})
	again := visitLiar(t, to)
	if _, err := again.Fetch(t.Context(), k, cur.After); !errors.Is(err, ErrRefused) {
		t.Fatal(err)
	}
	// Made anew, the positions begin again: the reader's cursor goes back and loses nothing.
	l.lie(func() {
		l.bend = nil
	})
	if _, err := again.MakeAndPut(t.Context(), k, 24, little(2)); err != nil {
		t.Fatal(err)
	}
	cur.After = 5
	if got := read(t, again, k, &cur); !got.Back {
		t.Errorf("%+v", got)
	}
	if got := read(t, again, k, &cur); len(got.New) != 1 || got.Missing != 0 {
		t.Errorf("%+v", got)
	}
}

// TestPairGap: where a reader deletes, a first position above the last one read is no loss.
func TestPairGap(t *testing.T) {
	var cur Cursor
	got := cur.Take(Page{Items: []Item{{5, little(1)}, {7, little(2)}}, End: 9}, false)
	if got.Missing != 1 || cur.After != 9 || len(got.New) != 2 {
		t.Errorf("%+v", got)
	}
}

// TestSeenBounded: what is remembered does not grow without end.
func TestSeenBounded(t *testing.T) {
	var s Seen
	for i := range 3 * rememberItems {
		if !s.add([]byte{byte(i), byte(i >> 8)}) {
			t.Fatal("seen before")
		}
	}
	if len(s.hashes) != rememberItems || len(s.Hashes()) != rememberItems {
		t.Errorf("%d are remembered", len(s.hashes))
	}
}
