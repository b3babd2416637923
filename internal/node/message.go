package node

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/store"
	"kith/internal/wire"
)

// clockOff is how far an author's clock may be from the order of display, or
// ahead of this one, before people are told, in ms.
const clockOff = 10 * 60 * 1000

// maxPage bounds the messages of one page.
const maxPage = 500

// Send writes a message to a chat. The same client id gives the same message.
func (n *Node) Send(ctx context.Context, g wire.GroupID, client string, c group.Content) (Message, error) {
	return n.SendDraft(ctx, g, client, c, 0)
}

// SendDraft is Send of what was begun in the chat up to a moment, in ms: with it that is no draft any
// more. 0: the draft stays.
func (n *Node) SendDraft(ctx context.Context, g wire.GroupID, client string, c group.Content, begun uint64) (Message, error) {
	o, err := n.in(g)
	if err != nil {
		return Message{}, err
	}
	if client == "" {
		client = hex.EncodeToString(wire.Random(16))
	}
	defer n.dialChat(o)
	var sent Message
	held, seen := false, n.hub.newest()
	err = n.onceIn(ctx, o, func() error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := n.db.RowByClient(g, client)
		if err != nil {
			return storeError(err)
		}
		if sent, held = o.heldMessage(client); held {
			return nil
		}
		if row == nil {
			if err := o.stepAlso(group.Compose{Client: client, Content: c}, withoutDraft(g, begun)); err != nil {
				return err
			}
			if row, err = n.db.RowByClient(g, client); err != nil {
				return storeError(err)
			}
			if sent, held = o.heldMessage(client); held {
				return nil
			}
			if row == nil {
				return errors.New("node: the message was written and is not shown")
			}
		}
		sent, err = n.message(o, *row)
		o.reached([]*Message{&sent})
		return err
	})
	if err == nil && held {
		n.awaitHeld(ctx, g, seen, &sent)
	}
	return sent, err
}

func withoutDraft(g wire.GroupID, begun uint64) also {
	if begun == 0 {
		return also{}
	}
	return also{write: func(tx *store.Tx) error {
		_, err := putDraft(tx, g, Draft{}, begun)
		return err
	}}
}

// heldMessage is a message that waits until a removal is carried over.
func (o *owner) heldMessage(client string) (Message, bool) {
	c, ok := o.machine.Held(client)
	me := o.n.me().Person
	m := Message{Chat: o.id, Author: o.n.person(me), Time: o.n.nowMS(), State: group.RowShown, Held: true, Content: c, Client: client}
	o.n.tell(o, &m, group.Row{Person: me, State: group.RowShown, Content: c.Bytes()}, surroundings{})
	return m, ok
}

// heldFor is how long whoever sends a message waits with it.
const heldFor = 5 * time.Second

// awaitHeld waits a little for a message that is held to be written.
func (n *Node) awaitHeld(ctx context.Context, g wire.GroupID, seen uint64, m *Message) {
	ctx, cancel := context.WithTimeout(ctx, heldFor)
	defer cancel()
	_ = n.Subscribe(ctx, n.hub.run, seen, func(Event) error {
		row, err := n.db.RowByClient(g, m.Client)
		o := n.owner(g)
		if err != nil || row == nil || o == nil {
			return err
		}
		if *m, err = n.message(o, *row); err != nil {
			return err
		}
		return context.Canceled
	})
}

// Messages returns a page of a chat before a place, or the newest, oldest first.
func (n *Node) Messages(g wire.GroupID, before *group.Place, limit int) (list []Message, more bool, err error) {
	o, err := n.in(g)
	if err != nil {
		return nil, false, err
	}
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, maxPage)
	rows, err := n.db.Page(g, before, limit+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(rows) > limit; more {
		rows = rows[1:]
	}
	list, err = n.shown(o, rows)
	return list, more, err
}

// message makes what people see of a row.
func (n *Node) message(o *owner, r group.Row) (Message, error) {
	list, err := n.messages(o, []group.Row{r})
	if err != nil {
		return Message{}, err
	}
	return list[0], nil
}

// messages makes what people see of rows, with what is about them.
func (n *Node) messages(o *owner, rows []group.Row) ([]Message, error) {
	around, err := n.around(o.id, rows)
	if err != nil {
		return nil, storeError(err)
	}
	wrong, err := n.clockOffOf(o.id, rows)
	if err != nil {
		return nil, storeError(err)
	}
	list := make([]Message, len(rows))
	for i, r := range rows {
		m := &list[i]
		*m = Message{
			Chat: o.id, ID: r.ID, Place: r.Place, Author: n.memberOf(o, r.Person), Time: r.Time, State: r.State,
			Client: r.Client, EarlierComing: r.Waiting, WhileSplit: o.picture.Load().lost[r.Block], WrittenTwice: r.Twice,
			ClockOff: wrong(r),
		}
		if r.State == group.RowShown {
			if c, err := group.ParseContent(r.Content); err == nil {
				m.Content = c
			} else {
				m.State = group.RowDamaged
			}
		}
		n.tell(o, m, r, around)
	}
	return list, nil
}

// clockWrong reports whether an author's clock is told of. An order ahead of this clock was driven there by
// somebody whose clock is, and everybody's after it is; so it speaks against nobody, see ahead.go.
func clockWrong(time, order, now uint64) bool {
	if time > now+clockOff {
		return true
	}
	return order <= now+clockOff && apart(time, order) > clockOff
}

func apart(a, b uint64) uint64 { return max(a, b) - min(a, b) }

// memberOf is a person whose name a chat's picture may know.
func (n *Node) memberOf(o *owner, p wire.PersonID) Person {
	who, at := n.person(p), o.picture.Load()
	if who.Name == "" {
		who.Name = at.names[p]
	}
	who.Alike = !who.Me && (at.alike.has(p) || at.view.Direct && n.hasNamesake(p))
	return who
}

// person is somebody as this node knows them.
func (n *Node) person(p wire.PersonID) Person {
	who := Person{ID: p, Aside: n.aside(p)}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ready && p == n.self.Person {
		who.Me = true
		if info, err := identity.ParseInfo(n.self.Info); err == nil {
			who.Name = info.Name
		}
		return who
	}
	if f := n.friends[p]; f != nil {
		who.Name, who.Friend = f.name(), f.State == FriendFriend
	}
	who.Connected = n.isConnected(p)
	return who
}

// isConnected reports whether a session with a device of somebody is up. n.mu is held.
func (n *Node) isConnected(p wire.PersonID) bool {
	for _, s := range n.sessions {
		if s.Remote().Person == p {
			return true
		}
	}
	return false
}

func compareNames(a, b Person) int {
	return cmp.Or(
		cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)),
		slices.Compare(a.ID[:], b.ID[:]),
	)
}

func (n *Node) chat(o *owner) (Chat, error) {
	p := o.picture.Load()
	v := p.view
	c := Chat{
		ID: o.id, Kind: ChatGroup, State: v.Status, Title: v.Title, Admin: v.Admin,
		Policy: v.Policy, Earlier: v.Earlier,
		Lifetime: v.Lifetime, MaySet: v.Status == group.StatusActive && (v.Admin || v.Direct),
		Missing: v.Missing, Missed: v.Missed, Waiting: p.waiting, NoKeys: v.NoKeys, NewKey: v.NewKey,
		Willing: v.Willing, Parked: v.Parked, Replaced: v.Replaced,
		OnlyFriends: n.setting(o.id).OnlyFriends, Held: v.Held, Unasked: v.Unasked, Readded: v.Readded,
		InvitedBy: n.memberOf(o, v.InvitedBy),
	}
	switch {
	case p.trouble != nil && p.trouble.Kept:
		c.Trouble = IncidentElsewhere
	case p.trouble != nil && p.trouble.Stopped:
		c.Trouble = IncidentTwice
	}
	if v.RemovedBy != (wire.PersonID{}) {
		c.RemovedBy = n.memberOf(o, v.RemovedBy)
	}
	for _, p := range v.Carrying {
		c.Carrying = append(c.Carrying, n.memberOf(o, p))
	}
	for _, p := range v.AskedOf {
		c.MissingFrom = append(c.MissingFrom, n.memberOf(o, p))
	}
	for _, p := range v.UnaskedOf {
		c.UnaskedOf = append(c.UnaskedOf, n.memberOf(o, p))
	}
	c.Needed = v.Needed
	for _, p := range v.Awaited {
		c.Awaited = append(c.Awaited, n.memberOf(o, p))
	}
	for _, p := range v.Outdated {
		c.Outdated = append(c.Outdated, n.memberOf(o, p))
	}
	c.Revoked = n.shutOut(o.id)
	takes, has := n.boxed(o.id, p.seq)
	c.Mailbox, c.MailboxDue = takes, takes && !has && p.waiting > 0
	n.mu.Lock()
	notes := n.notes
	n.mu.Unlock()
	for _, m := range v.Members {
		who := Member{Person: n.memberOf(o, m.Person), Admin: m.Admin, Accepted: m.Accepted, Since: m.Since, AddedBy: n.memberOf(o, m.AddedBy)}
		c.Members = append(c.Members, who)
		if who.Person.Connected {
			c.Connected++
		}
	}
	slices.SortFunc(c.Members, func(a, b Member) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), compareNames(a.Person, b.Person))
	})
	switch {
	case o.id == notes:
		c.Kind = ChatNotes
	case v.Direct:
		c.Kind = ChatDirect
		c.Title = n.otherName(o, v)
	}
	return c, n.readState(o, &c)
}

// otherName is the name of the other person of a direct chat.
func (n *Node) otherName(o *owner, v group.View) string {
	for p, name := range o.picture.Load().names {
		if !n.person(p).Me {
			if known := n.person(p).Name; known != "" {
				return known
			}
			return name
		}
	}
	return v.Title
}

// readState adds what the store knows of a chat's messages.
func (n *Node) readState(o *owner, c *Chat) error {
	row, err := n.db.Newest(o.id)
	if err != nil {
		return err
	}
	if row != nil {
		m, err := n.message(o, *row)
		if err != nil {
			return err
		}
		if r := o.picture.Load().reach; r.Place == row.Place {
			m.Reached, m.Read, m.ReachOf = r.Reached, r.Read, r.Of
		}
		c.Newest = &m
	}
	if c.ChangedAt, err = n.changedAt(o, row); err != nil {
		return err
	}
	if c.Unread, err = n.db.Unread(o.id, n.self.Person); err != nil {
		return err
	}
	if c.Unread > 0 {
		if c.Mentions, err = n.mentions(o); err != nil {
			return err
		}
	}
	if c.Draft, err = n.draft(o.id); err != nil {
		return err
	}
	c.ReadTo, err = n.db.LastRead(o.id)
	return err
}

// Status returns the node as people see it.
func (n *Node) Status() Status {
	at := n.address()
	reach, hosts := reachability(at)
	if loopbackOnly(n.cfg.Listen) {
		reach = ReachableLocal
	}
	n.mu.Lock()
	s := Status{
		Ready: n.ready, Home: n.cfg.Home, Chats: len(n.owners), Addresses: hosts, Reachability: reach,
		Notes: n.notes, StartedAt: n.started, Copied: n.copied, Revoked: n.revoked, Damaged: slices.Clone(n.damaged),
		Coming: n.comingNow(), DiskFull: n.full,
	}
	people := make(map[wire.PersonID]bool)
	for _, c := range n.sessions {
		people[c.Remote().Person] = true
	}
	s.Connected = len(people)
	for _, f := range n.friends {
		if f.State == FriendFriend {
			s.Friends++
		}
	}
	self, apart := n.self, n.apartNow()
	n.mu.Unlock()
	s.Linking = n.Linking()
	if apart.by != 0 {
		s.Clock = &ClockApart{Ahead: apart.ahead, By: apart.by}
		for _, p := range apart.of {
			s.Clock.Of = append(s.Clock.Of, n.person(p))
		}
	}
	if s.Ready {
		s.Me, s.Device = n.person(self.Person), self.Device.ID()
	}
	return s
}
