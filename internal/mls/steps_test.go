package mls

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"kith/internal/wire"
)

// deriveTree is DeriveTreeSecret of section 9.1 as it is written there; steps does the
// same three at a time.
func (c *crypto) deriveTree(secret []byte, label string, generation uint32, n int) []byte {
	return c.expandLabel(secret, label, binary.BigEndian.AppendUint32(nil, generation), n)
}

// TestStepsAreDeriveTreeSecret: of each suite, and for numbers of every length.
func TestStepsAreDeriveTreeSecret(t *testing.T) {
	for _, suite := range Suites() {
		c := suites[suite]
		s := c.steps()
		for _, g := range []uint32{0, 1, 255, 1 << 8, 1 << 16, 1<<32 - 2} {
			secret := wire.Random(c.nh)
			next, k := bytes.Clone(secret), make([]byte, c.nk+c.nn)
			s.next(next, g, k)
			want := slices.Concat(c.deriveTree(secret, "key", g, c.nk), c.deriveTree(secret, "nonce", g, c.nn))
			if !bytes.Equal(k, want) || !bytes.Equal(next, c.deriveTree(secret, "secret", g, c.nh)) {
				t.Errorf("suite %d, generation %d: %x", suite, g, k)
			}
		}
	}
}

// leapt is a Ratchets of two leaves of which the second's leapt to a generation.
func leapt(t testing.TB, from *ratchet, generation uint32) (*Ratchets, ratchetID) {
	t.Helper()
	r, id := newRatchets(suites[1], 2), ratchetID{1, ratchetApplication}
	r.sender[id] = from
	d, err := r.draw(id, generation, MaxKept)
	if err != nil {
		t.Fatal(err)
	}
	r.spend(d)
	return r, id
}

// TestPassedRecord: the bytes of what a leap passed, spelt by hand.
func TestPassedRecord(t *testing.T) {
	c, secret := suites[1], bytes.Repeat([]byte{7}, 32)
	r, id := leapt(t, &ratchet{next: 126, secret: bytes.Clone(secret)}, 130)
	var keys [][]byte
	for g := uint32(126); g < 130; g++ {
		keys = append(keys, c.deriveTree(secret, "key", g, 16), c.deriveTree(secret, "nonce", g, 12))
		secret = c.deriveTree(secret, "secret", g, 32)
	}
	secret = c.deriveTree(secret, "secret", 130, 32)
	none := make([]byte, 15)
	want := map[string][]byte{
		"r\x00\x00\x00\x01\x02":                 slices.Concat([]byte{0, 0, 0, 131}, secret),
		"p\x00\x00\x00\x01\x02\x00\x00\x00\x00": slices.Concat(none, []byte{0xc0}, keys[0], keys[1], keys[2], keys[3]),
		"p\x00\x00\x00\x01\x02\x00\x00\x00\x80": slices.Concat([]byte{3}, none, keys[4], keys[5], keys[6], keys[7]),
	}
	same := func(changes []Change) {
		t.Helper()
		if len(changes) != len(want) {
			t.Errorf("%d records, want %d", len(changes), len(want))
		}
		for _, c := range changes {
			if w, ok := want[string(c.Key)]; !ok || !bytes.Equal(c.Value, w) {
				t.Errorf("%x is %x, want %x", c.Key, c.Value, w)
			}
		}
	}
	same(r.Changes())
	d, err := r.draw(id, 128, 0)
	if err != nil || !bytes.Equal(d.key.key, keys[4]) || !bytes.Equal(d.key.nonce, keys[5]) {
		t.Fatalf("the key of 128: %v", err)
	}
	r.spend(d)
	want = map[string][]byte{"p\x00\x00\x00\x01\x02\x00\x00\x00\x80": slices.Concat([]byte{2}, none, keys[6], keys[7])}
	same(r.Changes())
	if d, err = r.draw(id, 129, 0); err != nil {
		t.Fatal(err)
	}
	r.spend(d)
	want = map[string][]byte{"p\x00\x00\x00\x01\x02\x00\x00\x00\x80": nil}
	same(r.Changes())
}

// TestNothingStoredLeadsToUsedKeys: after leaps, and messages out of their turn between,
// no 32 bytes of what is stored are a secret from which a used key follows.
func TestNothingStoredLeadsToUsedKeys(t *testing.T) {
	const last = 45
	c, secret := suites[1], wire.Random(32)
	keys := make([][]byte, last+1)
	for g, s := uint32(0), secret; g <= last; g++ {
		keys[g] = c.deriveTree(s, "key", g, 16)
		s = c.deriveTree(s, "secret", g, 32)
	}
	r, id := leapt(t, &ratchet{secret: bytes.Clone(secret)}, 30)
	used := []uint32{30}
	for _, g := range []uint32{0, 17, 29, last} {
		d, err := r.draw(id, g, 100)
		if err != nil || !bytes.Equal(d.key.key, keys[g]) {
			t.Fatalf("generation %d: %v", g, err)
		}
		r.spend(d)
		used = append(used, g)
	}
	var stored []byte
	for _, change := range r.Changes() {
		stored = append(stored, change.Value...)
	}
	for _, g := range used {
		if bytes.Contains(stored, keys[g]) {
			t.Errorf("the key of %d is stored", g)
		}
		if _, err := r.draw(id, g, 100); err != ErrKeyUsed {
			t.Errorf("the key of %d is drawn again: %v", g, err)
		}
	}
	lead := func(to uint32) bool {
		for at := range len(stored) - 31 {
			// The secret of a generation that came before is of one at least as old.
			for from := range to + 1 {
				s := bytes.Clone(stored[at : at+32])
				for g := from; g < to; g++ {
					s = c.deriveTree(s, "secret", g, 32)
				}
				if bytes.Equal(c.deriveTree(s, "key", to, 16), keys[to]) {
					return true
				}
			}
		}
		return false
	}
	if lead(17) {
		t.Error("what is stored leads to the key of 17")
	}
	// The search finds what there is: the secret of the first leads there.
	if stored = secret; !lead(17) {
		t.Error("the secret from which it follows was not found")
	}
}

// TestLeapsAreBounded: a leap goes no further than it may, and all together keep MaxKept.
func TestLeapsAreBounded(t *testing.T) {
	r, id := leapt(t, &ratchet{secret: wire.Random(32)}, 1)
	for _, c := range []struct{ generation, ahead uint32 }{
		{1003, 0}, {5002, 4999}, {1<<32 - 1, 1<<32 - 1}, {MaxKept + 2, 1<<32 - 1},
	} {
		r.Changes()
		_, err := r.draw(id, c.generation, c.ahead)
		if e, ok := err.(*Error); !ok || e.Reason != ReasonGeneration {
			t.Errorf("to %d by %d: %v", c.generation, c.ahead, err)
		}
		if n := len(r.Changes()); n > 0 || r.next(id) != 2 {
			t.Errorf("a refused leap to %d leaves %d records", c.generation, n)
		}
	}
	l := r.Leap(Sender{Leaf: 1, Generation: MaxKept - 200})
	by := maps.Collect(r.KeptBy())
	if l.Ahead != MaxKept-202 || l.Takes != MaxKept-128 || r.Kept() != 128 || len(by) != 1 || by[1] != 128 {
		t.Fatalf("%+v, %d kept, by leaf %v", l, r.Kept(), by)
	}
	d, err := r.draw(id, MaxKept-200, l.Ahead)
	if err != nil {
		t.Fatal(err)
	}
	r.spend(d)
	other := ratchetID{0, ratchetApplication}
	r.sender[other] = &ratchet{secret: wire.Random(32)}
	if r.Kept() > MaxKept {
		t.Errorf("%d are kept", r.Kept())
	}
	if _, err := r.draw(other, 129, 200); err == nil {
		t.Error("another takes more than there is")
	}
	if _, err = r.draw(other, 0, 200); err != nil { // passes nothing
		t.Error(err)
	}
	for id := range r.sender {
		r.mark(senderRecord(id))
	}
	r.mark(headerRecord())
	again, err := LoadRatchets(1, r.Changes())
	if err != nil || again.Kept() != r.Kept() {
		t.Errorf("%v; %d of %d are kept after loading", err, again.Kept(), r.Kept())
	}
}

// BenchmarkLeap: one generation of a leap, its key kept.
func BenchmarkLeap(b *testing.B) {
	b.ReportAllocs()
	const far = 100_000
	for i := 0; i < b.N; i += far {
		leapt(b, &ratchet{secret: make([]byte, 32)}, far)
	}
}

// TestPastNeedsNoRoom: a ratchet that goes on past what nobody expects keeps the newest keys alone, in their own
// room, and no further than it may.
func TestPastNeedsNoRoom(t *testing.T) {
	r, id := leapt(t, &ratchet{secret: wire.Random(32)}, MaxKept-200)
	kept, to := r.Kept(), uint32(MaxKept+5000)
	if _, err := r.draw(id, to, 1<<20); err == nil {
		t.Fatal("there is room for a leap")
	}
	if _, err := r.drawTo(id, to, bound{most: 5000, spare: true}); err == nil {
		t.Error("it goes further than it may")
	}
	whole := *r.sender[id]
	whole.secret = bytes.Clone(whole.secret)
	d, err := r.drawTo(id, to, bound{most: 1 << 20, spare: true})
	if err != nil {
		t.Fatal(err)
	}
	r.spend(d)
	if n := len(r.sender[id].skipped); n != MaxSkipped || r.Kept() != kept || r.next(id) != to+1 {
		t.Errorf("%d keys are kept, and room for %d; the next is %d", n, r.Kept(), r.next(id))
	}
	want := r.crypto.steps()
	for g := whole.next; g < to; g++ {
		k := want.key(whole.secret, g)
		own, ok := r.sender[id].skipped[g]
		if ok != (g >= to-MaxSkipped) || ok && !bytes.Equal(own.key, k.key) {
			t.Fatalf("the key of %d is kept: %v", g, ok)
		}
	}
}
