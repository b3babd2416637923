package mls_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"kith/internal/mls"
)

// TestLeap: a message far ahead opens at once, and then all before it in any order, also
// what comes beyond it meanwhile and after restarts; nothing is left of the keys.
func TestLeap(t *testing.T) {
	g := group(t, 2)
	ann, ben := g[0], g[1]
	const total = 3300
	var all [][]byte
	for range total {
		all = append(all, ann.encrypt("x"))
	}
	disk := shelf{}
	disk.put(ben.keys.Changes())
	open := func(i int, ahead uint32) {
		t.Helper()
		decrypt := ben.epoch.Decrypt
		if ahead > 0 {
			decrypt = func(r *mls.Ratchets, m []byte) ([]byte, mls.Sender, error) {
				return ben.epoch.DecryptAhead(r, m, ahead)
			}
		}
		text, s, err := decrypt(ben.keys, all[i])
		if err != nil || string(text) != "x" || s.Generation != uint32(i) {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	open(2500, 2500)
	disk.put(ben.keys.Changes())
	ben.keys = disk.load(t)
	for i := 2501; i < 2550; i++ {
		open(i, 0)
	}
	open(3250, 2000) // beyond, by a second leap whose keys join those of the first
	rest := rand.New(rand.NewPCG(1, 0)).Perm(total)
	for n, i := range rest {
		if i == 2500 || i > 2500 && i < 2550 || i >= 3250 {
			continue
		}
		open(i, 0)
		if disk.put(ben.keys.Changes()); n%500 == 0 {
			ben.keys = disk.load(t)
		}
	}
	for i := 3251; i < total; i++ {
		open(i, 0)
	}
	disk.put(ben.keys.Changes())
	for key := range disk {
		if key[0] == 'p' || key[0] == 's' {
			t.Errorf("record of used keys: %x", key)
		}
	}
	if n := ben.keys.Kept(); n != 0 {
		t.Errorf("room for %d keys is taken", n)
	}
	for i, m := range all {
		if _, _, err := ben.epoch.DecryptAhead(ben.keys, m, 1000); !errors.Is(err, mls.ErrKeyUsed) {
			t.Fatalf("message %d opened twice: %v", i, err)
		}
	}
}

// TestLeapToForgery: what ends at a message that does not open leaves no trace, and the
// good one still opens.
func TestLeapToForgery(t *testing.T) {
	g := group(t, 2)
	ann, ben := g[0], g[1]
	var m []byte
	for range 1500 {
		m = ann.encrypt("x")
	}
	ben.keys.Changes()
	bad := bytes.Clone(m)
	bad[len(bad)-1] ^= 1
	_, _, err := ben.epoch.DecryptAhead(ben.keys, bad, 2000)
	reason(t, err, mls.ReasonDecrypt)
	_, _, err = ben.epoch.DecryptAhead(ben.keys, m, 1498)
	reason(t, err, mls.ReasonGeneration)
	if c := ben.keys.Changes(); len(c) != 0 || ben.keys.Kept() != 0 {
		t.Errorf("failing changed %d records, %d are kept", len(c), ben.keys.Kept())
	}
	if _, _, err := ben.epoch.DecryptAhead(ben.keys, m, 1499); err != nil {
		t.Error(err)
	}
}

// TestSkippedBesideLeaps: keys that a leap passed are not among the 1,000 of which the
// oldest go.
func TestSkippedBesideLeaps(t *testing.T) {
	g := group(t, 2)
	ann, ben := g[0], g[1]
	var all [][]byte
	for range 3600 {
		all = append(all, ann.encrypt("x"))
	}
	open := func(i int, ahead uint32) error {
		if ahead > 0 {
			_, _, err := ben.epoch.DecryptAhead(ben.keys, all[i], ahead)
			return err
		}
		_, _, err := ben.epoch.Decrypt(ben.keys, all[i])
		return err
	}
	for _, c := range []struct {
		message int
		ahead   uint32
	}{{500, 0}, {2000, 1500}, {2900, 0}, {3599, 0}} { // skips 500, leaps 1,499, skips 899 and 698
		if err := open(c.message, c.ahead); err != nil {
			t.Fatal(err)
		}
	}
	for i, gone := range map[int]bool{0: true, 499: true, 501: false, 1999: false, 2001: true, 3598: false} {
		if err := open(i, 0); errors.Is(err, mls.ErrKeyUsed) != gone {
			t.Errorf("message %d: %v", i, err)
		}
	}
}
