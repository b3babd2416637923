package node

import (
	"bytes"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/peer"
	"kith/internal/store"
	"kith/internal/wire"
)

// Who knows of a mailbox of this person's. Members hear of it in a session; of what lies there who was
// off when it was added learns nothing before the next one, and is not promised it.

const (
	// namedAfter is how long a session lasts until what was said at its beginning has surely come.
	namedAfter = 3 * time.Second
	// namedEach is how often is looked which sessions have.
	namedEach = 2 * time.Second
)

// A naming is since when a session has been told of a mailbox.
type naming struct {
	box boxID
	at  time.Time
}

// noteNamed notes who has been told of this person's first mailbox by now; seen is what it saw before.
func (n *Node) noteNamed(seen map[*peer.Session]naming) {
	n.mu.Lock()
	none := len(n.ownTold) == 0
	n.mu.Unlock()
	if none {
		clear(seen)
		return
	}
	own, live := n.ownBoxes(), make(map[*peer.Session]bool)
	for _, s := range n.liveSessions() {
		live[s] = true
	}
	for s := range seen {
		if !live[s] {
			delete(seen, s)
		}
	}
	if len(own) == 0 {
		return // removed just now
	}
	box, now := idOf(own[0]), nowTime()
	for s := range live {
		if was := seen[s]; was.box != box {
			seen[s] = naming{box, now}
		} else if now.Sub(was.at) >= namedAfter {
			n.setTold(box, s.Remote().Device)
		}
	}
}

// setTold notes that a device knows of a mailbox, if that is this person's.
func (n *Node) setTold(box boxID, d wire.DeviceID) {
	n.mu.Lock()
	told, own := n.ownTold[box]
	if !own || told[d] {
		n.mu.Unlock()
		return
	}
	told[d] = true
	var chats []wire.GroupID
	for key := range n.mailNews {
		if key.box == box {
			chats = append(chats, key.group)
		}
	}
	n.mu.Unlock()
	if err := n.db.Update(func(tx *store.Tx) error { return tx.Put(bucketTold, toldID(box, d), []byte{1}) }); err != nil {
		n.log.Error("cannot write", "err", err)
	}
	for _, g := range chats {
		n.hub.publish(ChatChanged{g})
	}
}

func toldID(box boxID, d wire.DeviceID) []byte { return append(bytes.Clone(box[:]), d[:]...) }

// readTold reads who was told of the mailboxes that are this person's now.
func readTold(tx *store.Tx) (map[boxID]map[wire.DeviceID]bool, error) {
	told := make(map[boxID]map[wire.DeviceID]bool)
	for _, b := range boxesIn(tx) {
		told[idOf(b)] = make(map[wire.DeviceID]bool)
	}
	list, err := tx.List(bucketTold, nil)
	for _, p := range list {
		if len(p.Key) != len(boxID{})+len(wire.DeviceID{}) {
			return nil, store.ErrDamaged
		}
		if of := told[boxID(p.Key[:32])]; of != nil {
			of[wire.DeviceID(p.Key[32:])] = true
		}
	}
	return told, err
}

// forgetTold forgets it of mailboxes that are not.
func forgetTold(tx *store.Tx, told map[boxID]map[wire.DeviceID]bool) error {
	list, err := tx.List(bucketTold, nil)
	if err != nil {
		return err
	}
	for _, p := range list {
		if told[boxID(p.Key[:32])] == nil {
			if err := tx.Delete(bucketTold, p.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// knowsBox reports whether a member's device knows of a mailbox, as far as is known: of one of this
// person's by having been told, or by naming it itself. n.mu is held.
func (n *Node) knowsBox(p *picture, d wire.DeviceID, box boxID) bool {
	told, own := n.ownTold[box]
	if !own || told[d] {
		return true
	}
	for _, v := range p.devices {
		if v.Member.Device == d && v.Reach != nil {
			b, ok := boxIn(v.Reach.Hosts)
			return ok && idOf(b) == box
		}
	}
	return false
}

// awayKnow reports whether all devices of others in a group that have no session with this node know of a
// mailbox. n.mu is held.
func (n *Node) awayKnow(p *picture, box boxID) bool {
	return !slices.ContainsFunc(p.devices, func(d group.DeviceView) bool {
		return !d.Former && d.Member.Person != n.self.Person && n.sessions[d.Member.Device] == nil && !n.knowsBox(p, d.Member.Device, box)
	})
}

// untold counts the people of some groups who have a device that does not know of a mailbox. n.mu is
// held.
func (n *Node) untold(of []*picture, box boxID) int {
	list := make(map[wire.PersonID]bool)
	for _, p := range of {
		for _, d := range p.devices {
			if !d.Former && d.Member.Person != n.self.Person && !n.knowsBox(p, d.Member.Device, box) {
				list[d.Member.Person] = true
			}
		}
	}
	return len(list)
}
