package sim_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/mls"
	"kith/internal/sim"
	"kith/internal/wire"
)

// What a member can do with a place far ahead in its log, to which the ratchets of others
// leap (docs/spec/group.md, "Far ahead").

// forward moves a forger's ratchet by n generations of which there are no messages.
func (f *forger) forward(n uint32) {
	f.t.Helper()
	head := machine(f.n, f.g).Head()
	stored := make(map[string][]byte)
	must(f.t, records(f.n, f.g)(group.KindRatchet, func(r group.Record) error {
		if key, ok := bytes.CutPrefix(r.Key, head[:]); ok {
			stored[string(key)] = r.Value
		}
		return nil
	}))
	_, err := f.epoch.Encrypt(f.ratchets, f.n.Self.Device, nil, []byte("lost"), 0)
	must(f.t, err)
	for _, c := range f.ratchets.Changes() {
		stored[string(c.Key)] = c.Value
	}
	own := string(binary.BigEndian.AppendUint32([]byte{'r'}, f.epoch.OwnLeaf())) + "\x02"
	next, secret := binary.BigEndian.Uint32(stored[own]), stored[own][4:]
	for range n {
		info := append([]byte("\x00\x20\x0eMLS 1.0 secret\x04"), binary.BigEndian.AppendUint32(nil, next)...)
		secret, err = hkdf.Expand(sha256.New, secret, string(info), 32)
		must(f.t, err)
		next++
	}
	stored[own] = append(binary.BigEndian.AppendUint32(nil, next), secret...)
	var list []mls.Change
	for k, v := range stored {
		if v != nil {
			list = append(list, mls.Change{Key: []byte(k), Value: v})
		}
	}
	f.ratchets, err = mls.LoadRatchets(f.epoch.Public().Suite(), list)
	must(f.t, err)
}

// far makes an entry with a number far ahead, after entries that there are not.
func (f *forger) far(s string, seq uint64, spoilt bool) (*dag.Header, group.Packed) {
	f.t.Helper()
	h := f.next(s, func(d *draft) {
		d.Seq, d.Lamport, d.Order, d.Prev = seq, d.Lamport+seq, d.Order+seq, wire.EntryHash{byte(seq), 1}
		d.spoilt = spoilt
	})
	p := f.log[len(f.log)-1]
	f.log = f.log[:len(f.log)-1]
	return h, p
}

// keysKept is the room that n has for keys which leaps passed.
func keysKept(n *sim.Node, g wire.GroupID) int {
	return holdings(n, g)["room for keys of messages passed over"]
}

// TestLeapLies: a leap goes no further than the number that its author signed, and whoever
// had others leap to what cannot be read is not leapt to again. What comes in its turn is
// read as ever.
func TestLeapLies(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ben, cleo := nodes[1], nodes[2]
	f := newForger(t, w, cleo, g)
	f.next("in its turn", nil)
	f.forward(2000)
	state := func(seq uint64, spoilt bool) (at group.RowState) {
		t.Helper()
		h, p := f.far(fmt.Sprint("number ", seq), seq, spoilt)
		w.Deliver(cleo, ben, g, entries(p))
		w.Run(100)
		if row, there := ben.Groups[g].Rows[h.Place()]; there {
			return row.State
		}
		return 0
	}
	for _, c := range []struct {
		what   string
		seq    uint64
		spoilt bool
		want   group.RowState
		keys   bool
	}{
		{"a message of more generations than entries", 2000, false, 0, false},
		{"one that may be", 2500, false, group.RowShown, true},
		{"one that cannot be read", 2600, true, group.RowDamaged, true},
		{"another that could be", 2700, false, 0, true},
	} {
		if got := state(c.seq, c.spoilt); got != c.want {
			t.Errorf("%s: state %d, want %d", c.what, got, c.want)
		}
		if n := keysKept(ben, g); n > 0 != c.keys {
			t.Errorf("%s: room for %d keys is taken", c.what, n)
		}
		f.forward(1)
	}
	w.Deliver(cleo, ben, g, entries(f.log...))
	w.Run(100)
	if got := ben.Texts(g); len(got) != 2 {
		t.Errorf("Ben has %q", got)
	}
}

// TestLeapNear: an entry in its turn does not have the ratchet go further than its number.
func TestLeapNear(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ben, cleo := nodes[1], nodes[2]
	f := newForger(t, w, cleo, g)
	f.forward(50_000)
	h := f.next("first of all", nil)
	w.Deliver(cleo, ben, g, entries(f.log...))
	w.Run(100)
	if row := ben.Groups[g].Rows[h.Place()]; row.State != group.RowDamaged || keysKept(ben, g) != 0 {
		t.Errorf("state %d, room for %d keys is taken", row.State, keysKept(ben, g))
	}
}

// TestLeapsOfOnePerson: who has taken the room that one may take gets no more of it in another
// epoch.
func TestLeapsOfOnePerson(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	for _, c := range []struct {
		generations uint32
		opens       bool
	}{{mls.MaxKept/2 - 1000, true}, {5000, false}} {
		f := newForger(t, w, cleo, g)
		f.forward(c.generations)
		h, p := f.far("far", 200_000+uint64(c.generations), false)
		w.Deliver(cleo, ben, g, entries(p))
		w.Run(100)
		if _, there := ben.Groups[g].Rows[h.Place()]; there != c.opens {
			t.Errorf("Cleo has Ben leap %d: %v", c.generations, there)
		}
		must(t, ann.Do(g, group.Rekey{}))
		w.Run(5000)
	}
}

// TestLeapsShareRoom: who has others leap as far as can be takes half of the room, and another
// half of what is left; the newest of who writes honestly still comes first.
func TestLeapsShareRoom(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo", "Dan")
	ann, ben := nodes[0], nodes[1]
	room := 0
	for _, liar := range nodes[2:] {
		f := newForger(t, w, liar, g)
		left := (mls.MaxKept - room) / 2
		for _, c := range []struct {
			generations int
			opens       bool
		}{{left, false}, {left - 1000, true}, {5000, false}} {
			if c.generations > 5000 {
				f = newForger(t, w, liar, g)
			}
			f.forward(uint32(c.generations))
			h, p := f.far("far", 200_000+uint64(c.generations), false)
			w.Deliver(liar, ben, g, entries(p))
			w.Run(100)
			if _, there := ben.Groups[g].Rows[h.Place()]; there != c.opens {
				t.Errorf("%s has Ben leap %d: %v", liar.Name, c.generations, there)
			}
		}
		if now := keysKept(ben, g); now <= room || now > room+left {
			t.Errorf("%d are kept, %d before", now, room)
		}
		room = keysKept(ben, g)
	}
	ben.Stop()
	for i := range 1500 {
		must(t, ann.Say(g, fmt.Sprint("entry ", i)))
		w.Run(50)
	}
	w.Run(5000)
	first := ""
	w.After = func(n *sim.Node, _ wire.GroupID, eff group.Effects) {
		if n == ben && first == "" && len(eff.Rows) > 0 {
			last := eff.Rows[len(eff.Rows)-1]
			first = string(last.Content)
			if !last.Waiting {
				t.Error("the first row waits for none")
			}
		}
	}
	ben.Start()
	w.Run(20_000)
	if got := len(ben.Texts(g)); got != 1500+2 {
		t.Errorf("Ben has %d texts", got)
	}
	if keysKept(ben, g) != room {
		t.Errorf("room for %d keys is taken, %d by those who lied", keysKept(ben, g), room)
	}
}

// disappearsMeanwhile checks that Cleo reads what Ben says after 1,200 messages whose time is over when she starts
// again.
func disappearsMeanwhile(t *testing.T, w *sim.World, g wire.GroupID, ann, ben, cleo *sim.Node) {
	t.Helper()
	cleo.Stop()
	for i := range 1200 {
		must(t, ben.Say(g, fmt.Sprint("secret ", i)))
		w.Run(50)
	}
	w.Run(5000)
	must(t, ann.SayBody(g, group.Expiry{}))
	w.Run(5000)
	must(t, ben.Say(g, "after"))
	w.Run(120_000)
	cleo.Start()
	w.Run(30_000)
	row := line(t, ben, g, "after")
	if got := cleo.Groups[g].Rows[row.Place]; got.State != group.RowShown {
		t.Errorf("Cleo has %+v", got)
	}
}

// TestMuchDisappeared: what an author wrote after more than 1,000 messages whose time is
// over can be read by who missed them all, and gets no text of those.
func TestMuchDisappeared(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Run(300_000) // leaves are renewed: then all is of one epoch
	must(t, ann.SayBody(g, group.Expiry{Seconds: 60}))
	w.Run(5000)
	disappearsMeanwhile(t, w, g, ann, ben, cleo)
	if keysKept(cleo, g) < 1000 {
		t.Errorf("the ratchet did not leap: room for %d keys is taken", keysKept(cleo, g))
	}
}

// TestMuchDisappearedAmongLiars: likewise where those who had Cleo leap as far as can be left no room.
func TestMuchDisappearedAmongLiars(t *testing.T) {
	liars := []string{"Eve", "Finn", "Gail", "Hugh", "Ida", "Joe", "Kim", "Lea"}
	w, nodes, g := trip(t, append([]string{"Ann", "Ben", "Cleo"}, liars...)...)
	ann, ben, cleo := nodes[0], nodes[1], nodes[2]
	w.Run(300_000) // leaves are renewed: then all is of one epoch
	must(t, ann.SayBody(g, group.Expiry{Seconds: 60}))
	w.Run(5000)
	for _, liar := range nodes[3:] {
		f := newForger(t, w, liar, g)
		f.forward(uint32((mls.MaxKept-keysKept(cleo, g))/2 - 256))
		_, p := f.far("far", 200_000, false)
		w.Deliver(liar, cleo, g, entries(p))
		w.Run(100)
		liar.Stop()
	}
	if left := mls.MaxKept - keysKept(cleo, g); left > 2000 {
		t.Fatalf("room for %d keys is left", left)
	}
	disappearsMeanwhile(t, w, g, ann, ben, cleo)
}
