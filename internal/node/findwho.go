package node

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"

	"kith/internal/identity"
	"kith/internal/wire"
)

// Who is looked for at the rendezvous, how often, and for whom the own address is left there.

// A seekFor is somebody who is looked for under a secret.
type seekFor struct {
	secret [32]byte
	person wire.PersonID
	device wire.DeviceID // whose the record has to be; zero: not known before it is met
	maker  bool          // it opens a link of this node's: it dials, and this side lets it in
	link   bool          // by a contact link,
	since  uint64        // which was made then: ms
	most   uint64        // bound of the wait between two searches, in ms
}

// found is the key of where it was found in Node.found: the device, if it is known.
func (w seekFor) found() [32]byte {
	if w.device != (wire.DeviceID{}) {
		return w.device
	}
	return w.person
}

// sought are those who do not answer: friends, the makers of links not answered yet, and whoever may
// have opened a link of this node's.
func (n *Node) sought() (list []seekFor) {
	now := n.nowMS()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range n.contacts() {
		if l := n.opens(f); l != nil && (f.State == FriendAsked || f.State == FriendFriend && !n.isConnected(f.Person)) {
			if t := n.asks[f.Person]; t != nil && t.tries > 0 {
				list = append(list, seekFor{secret: l.MakerSecret(), person: f.Person, since: f.Since, link: true, most: findMost})
			}
		}
		for _, d := range f.Devices {
			if !f.trusted() || len(d.Theirs) != 32 || n.sessions[d.id()] != nil {
				continue
			}
			if t := n.targets[d.id()]; t == nil || t.tries >= findTries || len(t.hosts) == 0 {
				list = append(list, seekFor{secret: [32]byte(d.Theirs), person: f.Person, device: d.id(), most: findMost})
			}
		}
	}
	makers := len(list)
	for _, l := range n.links {
		if l.open(now) {
			c := identity.ContactLink{Secret: [32]byte(l.Secret)}
			list = append(list, seekFor{secret: c.AskerSecret(), maker: true, link: true, since: (l.Expiry - linkLife) * 1000})
		}
	}
	for i := makers; i < len(list); i++ {
		list[i].most = min(uint64(len(list)-makers)*linkMost, findMost)
	}
	return list
}

// open reports whether somebody may use the link yet, at now in ms.
func (l *ownLink) open(now uint64) bool {
	return len(l.Secret) == 32 && l.By == nil && l.Expiry*1000 > now
}

// keep forgets how long was waited for whoever answers by now: when they do not, they are looked for at
// once, or findRest after the last time, lest somebody who comes and goes has this node search without
// end. After a change of the network that holds for all.
func (f *finder) keep(list []seekFor, moved bool, now uint64) {
	maps.DeleteFunc(f.opened, func(s [32]byte, _ uint64) bool { return !sought(list, s) })
	for s := range f.next {
		again := f.next[s] - f.wait[s] + findRest
		switch {
		case moved || again <= now && !sought(list, s):
			delete(f.next, s)
			delete(f.wait, s)
		case !sought(list, s) && f.next[s] > again:
			f.next[s], f.wait[s] = again, findRest
		}
	}
}

// sinceOpened is how long ago it was found first that somebody opens a link; for ever if nobody does.
func (f *finder) sinceOpened(secret [32]byte, now uint64) uint64 {
	if at := f.opened[secret]; at != 0 {
		return now - at
	}
	return math.MaxUint64
}

func sought(list []seekFor, secret [32]byte) bool {
	return slices.ContainsFunc(list, func(w seekFor) bool { return w.secret == secret })
}

// again is how long to wait before somebody is looked for again after a search that took wait before
// it, in ms; opened is how long ago somebody was found who opens the link. While that or the link
// is new both sides look eagerly: the ports at which their routers show them change.
func (w seekFor) again(wait, now, opened uint64) uint64 {
	if age := now - min(now, w.since); w.link && min(age, opened) < linkEager {
		return findFirst
	}
	return min(max(2*wait, findFirst), w.most)
}

// leftFor are the secrets under which the own address is due to be left: of friends who were told
// another one and are not here, of own links that nobody has used yet and that name another, and of
// links of others that are not answered.
func (n *Node) leftFor(f *finder) (list [][32]byte) {
	now, ms := n.steadyMS(), n.nowMS()
	n.mu.Lock()
	for _, fr := range n.contacts() {
		if l := n.opens(fr); l != nil && !n.isConnected(fr.Person) {
			list = append(list, l.AskerSecret())
		}
		untold := func(d metDevice) bool { return n.sessions[d.id()] == nil && !bytes.Equal(d.Told, f.where[:]) }
		if fr.trusted() && len(fr.Secret) == 32 && slices.ContainsFunc(fr.Devices, untold) {
			list = append(list, [32]byte(fr.Secret))
		}
	}
	for _, l := range n.links {
		if l.open(ms) && !bytes.Equal(l.Told, f.where[:]) {
			c := identity.ContactLink{Secret: [32]byte(l.Secret)}
			list = append(list, c.MakerSecret())
		}
	}
	n.mu.Unlock()
	list = slices.DeleteFunc(list, func(s [32]byte) bool { at, done := f.left[s]; return done && at+leaveAgain > now })
	slices.SortFunc(list, func(a, b [32]byte) int { return cmp.Compare(f.left[a], f.left[b]) })
	if now-f.hour >= 3600*1000 {
		f.hour, f.done = now, 0
	}
	return list[:min(len(list), leaveMost-f.done)]
}
