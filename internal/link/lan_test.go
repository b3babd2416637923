package link_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"net"
	"testing"
	"time"

	"kith/internal/link"
)

// mac marks nonces with key, as messages.md says.
func mac(key string) func([16]byte) [8]byte {
	return func(nonce [16]byte) [8]byte {
		h := hmac.New(sha256.New, []byte(key))
		h.Write(nonce[:])
		return [8]byte(h.Sum(nil))
	}
}

// canMulticast reports whether a network is there to be tested on.
func canMulticast(t *testing.T) bool {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		addrs, _ := i.Addrs()
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagMulticast != 0 && len(addrs) > 0 {
			return true
		}
	}
	return false
}

// Two devices hear each other, a friend recognises the mark, and what was
// heard can be dialled.
func TestLAN(t *testing.T) {
	t.Parallel()
	if !canMulticast(t) {
		t.Skip("no interface of this machine can multicast")
	}
	lan := link.DirectConfig{Listen: ":0", LAN: true}
	var links [2]link.Link
	var heard [2]*link.LAN
	for i, key := range []string{"ann", "bob"} {
		l := newDirect(t, lan)
		h, err := link.NewLAN(link.LANConfig{
			Mac:   mac(key),
			Peer:  l.Address().Peer,
			Hosts: func() []string { return l.Address().Hosts },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		links[i], heard[i] = l, h
	}
	late := time.After(30 * time.Second)
	var known [2]link.Sighting
	for i, key := range []string{"bob", "ann"} {
		other := links[1-i].Address()
		for found := false; !found; {
			select {
			case s := <-heard[i].Sightings():
				if !bytes.Equal(s.Address.Peer, other.Peer) {
					continue // somebody else on this network
				}
				found, known[i] = true, s
				if s.Mac != mac(key)(s.Nonce) || s.Mac == mac("eve")(s.Nonce) {
					t.Errorf("the mark does not fit %s", key)
				}
				c, err := links[i].Dial(t.Context(), s.Address)
				if err != nil {
					t.Errorf("Dial %v: %v", s.Address.Hosts, err)
					continue
				}
				c.Close()
			case <-late:
				t.Fatal("nobody was heard in 30 s")
			}
		}
	}
	// Whoever wakes up asks again, under another name: both hear each other anew.
	for len(heard[0].Sightings()) > 0 {
		<-heard[0].Sightings()
	}
	heard[0].Again()
	anew(t, heard[0], known[0], false)
	anew(t, heard[1], known[1], true)
}

// anew waits for a sighting of the device that s is of.
func anew(t *testing.T, l *link.LAN, s link.Sighting, otherNonce bool) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		select {
		case now := <-l.Sightings():
			if bytes.Equal(now.Address.Peer, s.Address.Peer) && (now.Nonce != s.Nonce || !otherNonce) {
				return
			}
		case <-late:
			t.Fatal("not heard anew in 30 s")
		}
	}
}

func TestLANConfig(t *testing.T) {
	if l, err := link.NewLAN(link.LANConfig{Peer: []byte("short")}); err == nil {
		l.Close()
		t.Error("a LAN without a mac was made")
	}
}

// Close works at any moment, and closes Sightings.
func TestLANClose(t *testing.T) {
	l := newDirect(t, link.DirectConfig{})
	h, err := link.NewLAN(link.LANConfig{
		Mac: mac("ann"), Peer: l.Address().Peer, Hosts: func() []string { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
	h.Close()
	if _, ok := <-h.Sightings(); ok {
		t.Error("a sighting after Close")
	}
}
