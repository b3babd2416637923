package node

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"slices"

	"kith/internal/link"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// Relays: a friend that can be reached carries for one that cannot. Who carries sees ciphertext,
// sizes and times, and which two addresses talk.

const (
	// relaysUsed is by how many relays this node lets itself be reached: one may go away.
	relaysUsed = 2
	// offerLife is how long an offer counts that was not made again, in ms.
	offerLife = 30 * 24 * 3600 * 1000
)

// relayRecord is a relay that a friend has offered.
type relayRecord struct {
	Peer   []byte
	Hosts  []string
	Ticket []byte
	At     uint64 // ms
}

// ticketOf is what lets a friend be reached through this node. A new relay key, which comes when
// relaying is switched on, ends the ones before.
func ticketOf(key []byte, p wire.PersonID) (ticket [32]byte) {
	h := hmac.New(sha256.New, key)
	h.Write(p[:])
	return [32]byte(h.Sum(nil))
}

// admits reports whether a ticket is a friend's.
func (n *Node) admits(ticket [32]byte) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	found := false
	for _, f := range n.contacts() {
		if t := ticketOf(n.relayKey, f.Person); f.trusted() && hmac.Equal(t[:], ticket[:]) {
			found = true
		}
	}
	return found
}

// relayChanged begins to carry, or ceases to, as it was chosen.
func (n *Node) relayChanged() error {
	s, err := n.Settings()
	if err != nil {
		return storeError(err)
	}
	var key []byte
	err = n.db.Update(func(tx *store.Tx) error {
		if !s.Relay {
			return tx.Delete(bucketSelf, []byte(keyRelay))
		}
		ok, err := getJSON(tx, bucketSelf, []byte(keyRelay), &key)
		if err != nil || ok {
			return err
		}
		key = wire.Random(32)
		return putJSON(tx, bucketSelf, []byte(keyRelay), key)
	})
	if err != nil {
		return storeError(err)
	}
	n.mu.Lock()
	n.relayKey = key
	d, ok := n.internet.(link.Direct)
	n.mu.Unlock()
	if !ok {
		return nil
	}
	if s.Relay {
		d.ServeRelay(&link.RelayPolicy{Admit: n.admits})
	} else {
		d.ServeRelay(nil)
	}
	for _, s := range n.liveSessions() {
		n.offerRelay(s)
	}
	return nil
}

// offerRelay tells a friend that this node carries for it, or does not any more.
func (n *Node) offerRelay(s *peer.Session) {
	p := s.Remote().Person
	n.mu.Lock()
	f, key := n.contact(p), n.relayKey
	n.mu.Unlock()
	if f == nil || !f.trusted() {
		return
	}
	var m relayOffer
	if places := n.publicPlaces(); key != nil && len(places) > 0 {
		m = relayOffer{peer: n.address().Peer, hosts: places, ticket: ticketOf(key, p)}
	}
	n.mu.Lock()
	w := n.ways[s]
	due := w != nil && w.offers(m)
	n.mu.Unlock()
	if due {
		n.sayWay(s, m)
	}
}

// offers takes note of an offer, and reports whether it is another than was made last.
func (w *way) offers(m relayOffer) bool {
	b := m.bytes()
	if bytes.Equal(w.offer, b) || w.offer == nil && len(m.hosts) == 0 {
		return false
	}
	w.offer = b
	return true
}

func (n *Node) onRelayOffer(s *peer.Session, m relayOffer) {
	var offer *relayRecord
	if len(m.hosts) > 0 {
		offer = &relayRecord{Peer: m.peer, Hosts: m.hosts, Ticket: m.ticket[:], At: n.nowMS()}
	}
	_, err := n.updateFriend(s.Remote().Person, func(f *friend) (bool, error) {
		d := f.device(s.Remote().Device)
		if f.State == 0 || d == nil || d.Relay == nil && offer == nil {
			return f.State != 0, errSame
		}
		d.Relay = offer
		return true, nil
	})
	if err == nil {
		n.chooseRelays()
	}
}

// A relayChoice is a relay that could be used.
type relayChoice struct {
	link.Relay
	here bool   // it is connected
	at   uint64 // ms, when it was offered
}

// compare puts those of friends who are here first, then the newest offers. No two are alike: else
// each look would choose others.
func (a relayChoice) compare(b relayChoice) int {
	if a.here != b.here {
		if a.here {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(b.at/1000, a.at/1000), slices.Compare(a.Address.Peer, b.Address.Peer))
}

// chooseRelays has this node be reached through friends' relays where nobody reaches it otherwise.
func (n *Node) chooseRelays() {
	reached, _ := n.proved()
	now := n.nowMS()
	n.mu.Lock()
	d, ok := n.internet.(link.Direct)
	var list []relayChoice
	for _, f := range n.contacts() {
		for _, d := range f.Devices {
			if r := d.Relay; r != nil && f.trusted() && r.At+offerLife > now && len(r.Ticket) == 32 {
				list = append(list, relayChoice{link.Relay{Address: link.Address{Peer: r.Peer, Hosts: r.Hosts}, Ticket: [32]byte(r.Ticket)}, n.sessions[d.id()] != nil, r.At})
			}
		}
	}
	n.mu.Unlock()
	if !ok {
		return
	}
	if reached {
		list = nil
	}
	slices.SortFunc(list, relayChoice.compare)
	var use []link.Relay
	for _, c := range list[:min(len(list), relaysUsed)] {
		use = append(use, c.Relay)
	}
	d.UseRelays(use)
}
