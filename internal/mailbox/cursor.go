package mailbox

import "crypto/sha256"

// A Cursor is how far one reader has read one drop, and what it remembers of it. It
// is a value of the reader's own, without a lock and without I/O; the zero value is a
// drop that nothing was read of.
//
// What a mailbox does, and what Take says of it:
//
//	drops an item              Missing, when the positions of the others show it; else its
//	                           poster finds out, who hears by no Ack that it arrived
//	repeats an item            it is counted in Repeats and left out
//	replays one of another day the same, if the caller carries Seen over; one of another
//	                           drop does not open under this drop's key
//	reorders                   positions that fall end the connection (ErrBroken); other
//	                           items at a position are told apart by nobody: what is in
//	                           an item must not depend on its place
//	says that it is empty      Back, if the drop had more before; to who never read it
//	                           before nothing shows: its poster finds out as above
//	comes back empty           ErrRefused from Fetch, or Back
type Cursor struct {
	After   uint64 // up to where everything was taken
	Missing uint64 // positions passed over, in all
	Repeats uint64
	Seen    Seen
}

// Taken is what a page brought.
type Taken struct {
	New []Item
	// Back: the drop is shorter than it was. It begins anew, and what its posters
	// have not heard to be safe they must put again.
	Back bool
	// Missing is how many positions of this page are not there. In a drop that readers
	// delete from, those before the first are no loss.
	Missing uint64
}

// Take notes a page that was fetched after c.After. keep says that nobody deletes from
// the drop.
func (c *Cursor) Take(p Page, keep bool) Taken {
	var t Taken
	if p.End < c.After {
		t.Back = true
		c.After = 0
		return t // what the page holds was chosen by the old position
	}
	next := c.After + 1
	for n, i := range p.Items {
		if keep || n > 0 {
			t.Missing += i.Position - next
		}
		next = i.Position + 1
		if c.Seen.add(i.Bytes) {
			t.New = append(t.New, i)
		} else {
			c.Repeats++
		}
	}
	if !p.More && p.End >= next {
		if keep {
			t.Missing += p.End + 1 - next
		}
		next = p.End + 1
	}
	c.After = next - 1
	c.Missing += t.Missing
	return t
}

// Seen remembers the items read last, by hash. Its zero value has seen none.
type Seen struct {
	hashes map[[32]byte]struct{}
	order  [][32]byte
}

// add reports whether the item was not seen before, and notes it.
func (s *Seen) add(item []byte) bool {
	h := sha256.Sum256(item)
	if _, ok := s.hashes[h]; ok {
		return false
	}
	if s.hashes == nil {
		s.hashes = make(map[[32]byte]struct{})
	}
	if len(s.order) == rememberItems {
		delete(s.hashes, s.order[0])
		s.order = s.order[1:]
	}
	s.hashes[h] = struct{}{}
	s.order = append(s.order, h)
	return true
}

// Hashes are what Seen remembers, oldest first, to be kept over a restart.
func (s *Seen) Hashes() [][32]byte { return append([][32]byte(nil), s.order...) }

// SeenOf is a Seen that remembers hashes.
func SeenOf(hashes [][32]byte) Seen {
	s := Seen{hashes: make(map[[32]byte]struct{})}
	for _, h := range hashes[max(0, len(hashes)-rememberItems):] {
		if _, ok := s.hashes[h]; !ok {
			s.hashes[h] = struct{}{}
			s.order = append(s.order, h)
		}
	}
	return s
}
