package node

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/store"
	"kith/internal/wire"
)

// Mailboxes: where messages wait for whoever is off. Each person names its own; the members of a
// group are told of them beside the addresses of its device, and leave things in all of the group's.

const (
	// maxBoxes bounds the mailboxes of one person.
	maxBoxes = 4
	// groupBoxes is in how many the members of a group leave things: one may be lost, and each costs
	// as much again.
	groupBoxes = 2
	// boxPart begins a host of a Reach that is a piece of a mailbox's address: "/kithbox/", number,
	// "/", piece. Programs from before it take it for a host of a kind that they do not dial.
	boxPart = "/kithbox/"
	// boxPiece bounds a piece: a host has at most 128 bytes.
	boxPiece = 128 - len(boxPart) - len("0/")
	// boxPieces is in how many pieces an address comes.
	boxPieces = 3
)

// A boxID names a mailbox: SHA-256 of its link peer id and access secret.
type boxID [32]byte

func idOf(b identity.Box) boxID {
	h := sha256.New()
	h.Write(b.Peer)
	h.Write(b.Access[:])
	return boxID(h.Sum(nil))
}

// A MailboxView is a mailbox of this person's, or one that a group uses.
type MailboxView struct {
	ID    boxID
	Place string // host:port
	Own   bool
	Chats int    // that use it
	Asked uint64 // ms, when it was asked last; 0: never since the start
	Ready bool   // and it answered
	Err   error  // why not
	Left  int    // items left there since the start

	Spare  bool // one of one's own, and not the first, which is the one that chats use
	Untold int  // people of these chats who have not heard of it yet
}

// String is the beginning of the id, by which people name it.
func (id boxID) String() string { return hex.EncodeToString(id[:8]) }

// ownBoxes are the mailboxes of this person.
func (n *Node) ownBoxes() (list []identity.Box) {
	_ = n.db.View(func(tx *store.Tx) error {
		list = boxesIn(tx)
		return nil
	})
	return list
}

// boxesIn reads them.
func boxesIn(tx *store.Tx) (list []identity.Box) {
	var texts []string
	if _, err := getJSON(tx, bucketSelf, []byte(keyBoxes), &texts); err != nil {
		return nil
	}
	for _, text := range texts {
		if b, err := identity.ParseBox(text); err == nil {
			list = append(list, b)
		}
	}
	return list
}

// AddMailbox has messages left, and looked for, at a mailbox. The error is an
// *identity.InputError for a text that names none.
func (n *Node) AddMailbox(text string) error {
	if !n.Ready() {
		return fail(ReasonNoIdentity, "")
	}
	b, err := identity.ParseBox(text)
	if err != nil {
		return err
	}
	return n.editBoxes(func(list []identity.Box) ([]identity.Box, error) {
		if slices.ContainsFunc(list, func(o identity.Box) bool { return idOf(o) == idOf(b) }) {
			return list, nil
		}
		if len(list) == maxBoxes {
			return nil, fail(ReasonBoxes, fmt.Sprint(maxBoxes))
		}
		return append(list, b), nil
	})
}

// RemoveMailbox ends that. id is the beginning of its id.
func (n *Node) RemoveMailbox(id string) error {
	return n.editBoxes(func(list []identity.Box) ([]identity.Box, error) {
		left := slices.DeleteFunc(slices.Clone(list), func(b identity.Box) bool {
			return len(id) >= 4 && strings.HasPrefix(idOf(b).String(), strings.ToLower(id))
		})
		if len(left) == len(list) {
			return nil, fail(ReasonNoBox, id)
		}
		return left, nil
	})
}

func (n *Node) editBoxes(edit func([]identity.Box) ([]identity.Box, error)) error {
	list, err := edit(n.ownBoxes())
	if err != nil {
		return err
	}
	texts := make([]string, 0, len(list))
	for _, b := range list {
		text, err := b.Text()
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	var told map[boxID]map[wire.DeviceID]bool
	err = n.db.Update(func(tx *store.Tx) error {
		err := putJSON(tx, bucketSelf, []byte(keyBoxes), texts)
		if err == nil {
			told, err = readTold(tx)
		}
		if err != nil {
			return err
		}
		return forgetTold(tx, told)
	})
	if err != nil {
		return storeError(err)
	}
	n.mu.Lock()
	n.ownTold = told
	n.mu.Unlock()
	n.reach()
	n.mailSoon()
	n.hub.publish(StatusChanged{})
	return nil
}

// boxHosts are the pieces in which the members of a group are told of this person's first mailbox.
func (n *Node) boxHosts() (hosts []string) {
	list := n.ownBoxes()
	if len(list) == 0 {
		return nil
	}
	text, err := list[0].Text()
	for i := 0; err == nil && len(text) > 0 && i < boxPieces; i++ {
		piece := text[:min(len(text), boxPiece)]
		text = text[len(piece):]
		hosts = append(hosts, fmt.Sprintf("%s%d/%s", boxPart, i, piece))
	}
	if len(text) > 0 {
		return nil // longer than any that there are
	}
	return hosts
}

// boxIn is the mailbox that the hosts of a Reach tell of.
func boxIn(hosts []string) (b identity.Box, ok bool) {
	var text strings.Builder
	for i := range boxPieces {
		head := fmt.Sprintf("%s%d/", boxPart, i)
		for _, h := range hosts {
			if piece, is := strings.CutPrefix(h, head); is {
				text.WriteString(piece)
			}
		}
	}
	b, err := identity.ParseBox(text.String())
	return b, err == nil
}

// boxesOf are the mailboxes that the members of a group use: all choose the same of those that
// they are told of, so that what one leaves the others find. Those of administrators go first, by
// rank, then those of who came first: two members who came later cannot have all use mailboxes of
// theirs that lose things. Who would not dial a member does not use its mailbox either. own are
// those of this person.
func (n *Node) boxesOf(o *owner, own []identity.Box) (list []identity.Box) {
	p := o.picture.Load()
	if p.view.Status != group.StatusActive || len(p.view.Members) < 2 {
		return nil
	}
	me, onlyFriends := n.me(), n.setting(o.id).OnlyFriends
	n.mu.Lock()
	blocked, friends := n.inState(FriendBlocked), n.inState(FriendFriend)
	n.mu.Unlock()
	var told []toldBox
	if len(own) > 0 && me.Device != nil && !onlyFriends { // first: of the hosts of one that others name too, these are right
		told = append(told, toldBox{own[0], p.place(me.Person)})
	}
	for _, d := range p.devices {
		if d.Former || d.Reach == nil && d.Member.Person == me.Person {
			continue
		}
		// A mailbox sees this machine's address, and may be run by whoever names it.
		if who := d.Member.Person; who != me.Person && (blocked[who] || onlyFriends && !friends[who]) {
			continue
		}
		b, ok := identity.Box{}, false
		if d.Reach != nil {
			b, ok = boxIn(d.Reach.Hosts)
		} else { // invited, and has said nothing here
			b, ok = n.boxInChat(d.Member)
		}
		if ok {
			told = append(told, toldBox{b, p.place(d.Member.Person)})
		}
	}
	return chooseBoxes(told)
}

// A toldBox is a mailbox that a member has named.
type toldBox struct {
	box identity.Box
	by  [2]uint64 // the member's rank, and since when it is one
}

// place is where a member stands among those of a group.
func (p *picture) place(who wire.PersonID) [2]uint64 {
	for _, m := range p.view.Members {
		if m.Person == who {
			return [2]uint64{uint64(m.Rank), m.Since}
		}
	}
	return [2]uint64{math.MaxUint64, math.MaxUint64}
}

// chooseBoxes returns the first groupBoxes. Of one that several name, the first's hosts count.
func chooseBoxes(told []toldBox) (list []identity.Box) {
	hosts := make(map[boxID]identity.Box)
	for _, t := range told {
		if _, ok := hosts[idOf(t.box)]; !ok {
			hosts[idOf(t.box)] = t.box
		}
	}
	slices.SortFunc(told, func(a, b toldBox) int {
		x, y := idOf(a.box), idOf(b.box)
		return cmp.Or(slices.Compare(a.by[:], b.by[:]), bytes.Compare(x[:], y[:]))
	})
	for _, t := range told {
		if b, ok := hosts[idOf(t.box)]; ok && len(list) < groupBoxes {
			list = append(list, b)
			delete(hosts, idOf(t.box))
		}
	}
	return list
}

// mailboxes are those of this person, and those that its groups use.
func (n *Node) mailboxes() (list []MailboxView) {
	chats := make(map[boxID]int)
	known := make(map[boxID]identity.Box)
	var order []boxID
	note := func(b identity.Box) boxID {
		id := idOf(b)
		if _, ok := known[id]; !ok {
			known[id], order = b, append(order, id)
		}
		return id
	}
	mine := n.ownBoxes()
	own := make(map[boxID]bool)
	for _, b := range mine {
		own[note(b)] = true
	}
	using := make(map[boxID][]*picture)
	for _, o := range n.allOwners() {
		for _, b := range n.boxesOf(o, mine) {
			chats[note(b)]++
			using[idOf(b)] = append(using[idOf(b)], o.picture.Load())
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, id := range order {
		v := n.boxes[id]
		v.ID, v.Own, v.Chats, v.Untold = id, own[id], chats[id], n.untold(using[id], id)
		v.Spare = v.Own && i > 0
		for _, h := range known[id].Hosts {
			if ip, port, ok := hostPort(h); ok {
				v.Place = netip.AddrPortFrom(ip, uint16(port)).String()
				break
			}
		}
		list = append(list, v)
	}
	return list
}

// A dropRecord is the secret of the drops of one epoch, as long as somebody may write there.
type dropRecord struct {
	Height uint64
	Secret []byte
	Old    uint64 `json:",omitempty"` // ms, since when it is not the newest; 0: it is
}

func dropID(g wire.GroupID, block wire.BlockHash) []byte {
	return append(bytes.Clone(g[:]), block[:]...)
}
