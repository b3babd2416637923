package mls_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"kith/internal/mls"
)

// A shelf keeps the records of a Ratchets, as a store would.
type shelf map[string][]byte

func (s shelf) put(changes []mls.Change) (size int) {
	for _, c := range changes {
		size += len(c.Key) + len(c.Value)
		if c.Value == nil {
			delete(s, string(c.Key))
		} else {
			s[string(c.Key)] = c.Value
		}
	}
	return size
}

func (s shelf) load(t testing.TB) *mls.Ratchets {
	t.Helper()
	var records []mls.Change
	for k, v := range s {
		records = append(records, mls.Change{Key: []byte(k), Value: v})
	}
	r, err := mls.LoadRatchets(suite, records)
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Changes(); len(c) != 0 {
		t.Fatalf("loading changes records: %v", c)
	}
	return r
}

func TestRatchetsSurviveEveryStep(t *testing.T) {
	g := group(t, 6)
	ann, ben := g[0], g[1]
	from, to := shelf{}, shelf{}
	from.put(ann.keys.Changes())
	to.put(ben.keys.Changes())

	var messages [][]byte
	for range 5 {
		ann.keys = from.load(t)
		messages = append(messages, ann.encrypt("m"))
		if n := from.put(ann.keys.Changes()); n > 400 {
			t.Errorf("sending writes %d bytes", n)
		}
	}
	for _, i := range []int{3, 0, 4, 2, 1} {
		ben.keys = to.load(t)
		text, s, err := ben.epoch.Decrypt(ben.keys, messages[i])
		if err != nil || string(text) != "m" || s != (mls.Sender{Leaf: 0, Generation: uint32(i)}) {
			t.Fatalf("message %d: %q, %v, %v", i, text, s, err)
		}
		to.put(ben.keys.Changes())
		ben.keys = to.load(t)
		if _, _, err := ben.epoch.Decrypt(ben.keys, messages[i]); !errors.Is(err, mls.ErrKeyUsed) {
			t.Errorf("message %d opened twice: %v", i, err)
		}
	}
	for k := range to {
		if k[0] == 's' {
			t.Errorf("record of a used key: %x", k)
		}
	}
	// What is left cannot open anything that was opened.
	fresh := to.load(t)
	for _, m := range messages {
		if _, _, err := ben.epoch.Decrypt(fresh, m); !errors.Is(err, mls.ErrKeyUsed) {
			t.Errorf("stored keys open an old message: %v", err)
		}
	}
}

func TestNoNonceTwice(t *testing.T) {
	g := group(t, 2)
	seen := make(map[mls.Sender]bool)
	for range 50 {
		s, _, err := g[1].epoch.Peek(g[0].encrypt("x"))
		if err != nil || seen[s] {
			t.Fatalf("%v used twice, or %v", s, err)
		}
		seen[s] = true
	}
}

func TestPeekTakesNoKey(t *testing.T) {
	g := group(t, 3)
	m := g[0].encrypt("hello")
	g[1].keys.Changes()
	s, aad, err := g[1].epoch.Peek(m)
	if err != nil || s != (mls.Sender{}) || string(aad) != "aad" {
		t.Fatalf("%v %q %v", s, aad, err)
	}
	if c := g[1].keys.Changes(); len(c) != 0 {
		t.Errorf("peeking changed %d records", len(c))
	}
	// A damaged ciphertext fails and costs nothing: the good one still opens.
	for i := range m {
		bad := bytes.Clone(m)
		bad[i] ^= 1
		if _, _, err := g[1].epoch.Decrypt(g[1].keys, bad); err == nil {
			t.Fatalf("accepted with byte %d changed", i)
		}
	}
	if c := g[1].keys.Changes(); len(c) != 0 {
		t.Errorf("failing changed %d records", len(c))
	}
	if _, _, err := g[1].epoch.Decrypt(g[1].keys, m); err != nil {
		t.Error(err)
	}
}

func TestSkippedKeysAreBounded(t *testing.T) {
	g := group(t, 2)
	ann, ben := g[0], g[1]
	var first, second, late, far []byte
	for i := range 2005 {
		m := ann.encrypt("x")
		switch i {
		case 0:
			first = m
		case 500:
			second = m
		case 1000:
			late = m
		case 2002:
			far = m
		}
	}
	_, _, err := ben.epoch.Decrypt(ben.keys, far)
	reason(t, err, mls.ReasonGeneration)
	if c := ben.keys.Changes(); len(c) != 2 {
		t.Errorf("a message too far ahead changed records: %d", len(c))
	}
	open := func(m []byte) error {
		_, _, err := ben.epoch.Decrypt(ben.keys, m)
		return err
	}
	if err := open(late); err != nil { // keeps 0 to 999
		t.Fatal(err)
	}
	reason(t, open(far), mls.ReasonGeneration)
	if err := open(first); err != nil {
		t.Error(err)
	}
	if err := open(second); err != nil {
		t.Error(err)
	}
}

func TestOldestSkippedKeysGoFirst(t *testing.T) {
	g := group(t, 2)
	ann, ben := g[0], g[1]
	var all [][]byte
	for range 1500 {
		all = append(all, ann.encrypt("x"))
	}
	for _, i := range []int{900, 1499} { // 900 and 598 are skipped, 498 too many
		if _, _, err := ben.epoch.Decrypt(ben.keys, all[i]); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := ben.epoch.Decrypt(ben.keys, all[497]); !errors.Is(err, mls.ErrKeyUsed) {
		t.Errorf("key over the bound was kept: %v", err)
	}
	if _, _, err := ben.epoch.Decrypt(ben.keys, all[498]); err != nil {
		t.Errorf("key within the bound was dropped: %v", err)
	}
}

func TestCiphertextSize(t *testing.T) {
	g := group(t, 2)
	for _, n := range []int{0, 1, 62, 63, 64, 200, 16300, 16384, 70000} {
		for _, padding := range []int{0, 1, 255, 20000} {
			for _, aad := range []int{0, 32, 64} {
				b, err := g[0].epoch.Encrypt(g[0].keys, g[0].key, make([]byte, aad), make([]byte, n), padding)
				if err != nil {
					t.Fatal(err)
				}
				if want := g[0].epoch.CiphertextSize(n, padding, aad); len(b) != want {
					t.Errorf("%d+%d, %d: %d bytes, said %d", n, padding, aad, len(b), want)
				}
				if text, _, err := g[1].epoch.Decrypt(g[1].keys, b); err != nil || len(text) != n {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestMessagesOfOtherEpochsAndPeople(t *testing.T) {
	g := group(t, 3)
	old := g[0].encrypt("old")
	epoch, keys := g[1].epoch, g[1].keys
	s := g[2].commit(mls.CommitParams{})
	g[2].take(s, g)
	if _, _, err := g[1].epoch.Decrypt(g[1].keys, old); !errors.Is(err, mls.ErrWrongEpoch) {
		t.Errorf("message of the last epoch: %v", err)
	}
	if text, _, err := epoch.Decrypt(keys, old); err != nil || string(text) != "old" {
		t.Errorf("the last epoch cannot open its own message: %v", err)
	}
	if _, _, err := g[1].epoch.Process(s.Commit); !errors.Is(err, mls.ErrWrongEpoch) {
		t.Errorf("commit of the last epoch: %v", err)
	}
	_, err := g[0].epoch.Encrypt(g[0].keys, g[1].key, nil, nil, 0)
	reason(t, err, mls.ReasonSigner)
	other := group(t, 2)
	_, _, err = other[1].epoch.Decrypt(other[1].keys, g[0].encrypt("x"))
	if err == nil {
		t.Error("opened a message of another group")
	}
}

func TestLoadRatchetsRefusesDamage(t *testing.T) {
	g := group(t, 4)
	g[0].encrypt("x")
	good := slices.DeleteFunc(g[0].keys.Changes(), func(c mls.Change) bool { return c.Value == nil })
	if _, err := mls.LoadRatchets(suite, good); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := slices.Clone(good)
		bad[i].Value = append(bytes.Clone(bad[i].Value), 0)
		_, err := mls.LoadRatchets(suite, bad)
		reason(t, err, mls.ReasonStoredRecord)
	}
	_, err := mls.LoadRatchets(suite, nil)
	reason(t, err, mls.ReasonStoredRecord)
}
