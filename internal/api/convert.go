package api

import (
	"encoding/base64"
	"encoding/hex"

	"rsc.io/qr"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

func (s *Server) nodeOf(st node.Status) *v1.Node {
	n := &v1.Node{
		Ready: st.Ready, Version: s.cfg.Version, Home: st.Home, Chats: uint32(st.Chats), Friends: uint32(st.Friends),
		Connected: uint32(st.Connected), Addresses: st.Addresses, Reachability: v1.Reachability(st.Reachability),
		StartedAt: st.StartedAt, WebAddress: s.Address(), Copied: st.Copied, Revoked: st.Revoked,
		DiskFull: st.DiskFull,
	}
	if c := st.Clock; c != nil {
		n.Clock = &v1.ClockApart{Ahead: c.Ahead, By: c.By, Sentence: clockSentence(*c)}
		for _, p := range c.Of {
			n.Clock.Persons = append(n.Clock.Persons, personOf(p))
		}
	}
	if st.DiskFull {
		n.Notice = diskFullSentence(st.Home)
	}
	for _, g := range st.Damaged {
		n.DamagedChats = append(n.DamagedChats, g.String())
	}
	for _, c := range st.Coming {
		n.Coming = append(n.Coming, &v1.Coming{ChatId: c.Chat.String(), By: somebody(c.By), Percent: uint32(c.Percent), Title: c.Title})
	}
	if l := st.Linking; l.Phase != node.LinkNone {
		n.Linking = linkingOf(l)
	}
	if st.Ready {
		n.Me, n.DeviceId, n.NotesChatId = personOf(st.Me), st.Device.String(), st.Notes.String()
	}
	return n
}

func personOf(p node.Person) *v1.Person {
	who := &v1.Person{Id: p.ID.String(), Name: shownName(p), Me: p.Me, Friend: p.Friend, Connected: p.Connected}
	if p.Alike {
		who.Alike = p.ID.String()[:alikeDigits]
	}
	if a := p.Aside; !a.Until.IsZero() {
		who.Aside = &v1.Aside{Until: uint64(a.Until.UnixMilli()), Rule: a.Rule}
	}
	return who
}

// somebody is personOf, nil for the zero person.
func somebody(p node.Person) *v1.Person {
	if p.ID == (wire.PersonID{}) {
		return nil
	}
	return personOf(p)
}

func friendOf(f node.Friend) *v1.Friend {
	out := &v1.Friend{
		Person: personOf(f.Person), State: v1.FriendState(f.State), Since: f.Since,
		Fingerprint: f.Fingerprint, WaitingFor: waitingFor(f),
	}
	if f.Chat != (wire.GroupID{}) {
		out.ChatId = f.Chat.String()
	}
	return out
}

func roleOf(admin bool) v1.Role {
	if admin {
		return v1.Role_ROLE_ADMIN
	}
	return v1.Role_ROLE_MEMBER
}

func chatOf(c node.Chat) *v1.Chat {
	out := &v1.Chat{
		Id: c.ID.String(), Kind: v1.ChatKind(c.Kind), State: stateOf(c.State), Title: c.Title, MyRole: roleOf(c.Admin),
		Unread: uint32(c.Unread), ChangedAt: c.ChangedAt, Connected: uint32(c.Connected), Missing: uint32(c.Missing),
		ReadTo: cursorOf(c.ReadTo), Notice: noticeOf(c), Waiting: uint64(c.Waiting), OnlyThroughFriends: c.OnlyFriends,
		Lifetime: c.Lifetime, MaySetLifetime: c.MaySet, Mailbox: c.Mailbox, MailboxDue: c.MailboxDue,
		Unasked: uint32(c.Unasked), Held: uint32(c.Held),
		RemovedBy: somebody(c.RemovedBy),
	}
	for _, at := range c.Mentions {
		out.Mentions = append(out.Mentions, cursorOf(at))
	}
	if c.Kind == node.ChatGroup {
		out.History = historyOf(c.Policy)
		out.Earlier = earlierOf(c)
	}
	for _, p := range c.MissingFrom {
		out.MissingFrom = append(out.MissingFrom, personOf(p))
	}
	for _, p := range c.UnaskedOf {
		out.UnaskedOf = append(out.UnaskedOf, personOf(p))
	}
	if c.State == group.StatusInvited || c.State == group.StatusDeclined {
		out.InvitedBy = somebody(c.InvitedBy)
	}
	for _, m := range c.Members {
		out.Members = append(out.Members, &v1.Member{
			Person: personOf(m.Person), Role: roleOf(m.Admin), Accepted: m.Accepted, Since: m.Since, AddedBy: somebody(m.AddedBy),
		})
	}
	if d := c.Draft; d.Text != "" || d.ReplyTo != nil {
		out.Draft = &v1.Draft{Text: d.Text}
		if d.ReplyTo != nil {
			out.Draft.ReplyTo = cursorOf(*d.ReplyTo)
		}
	}
	if c.Newest != nil {
		out.Newest = messageOf(*c.Newest)
	}
	return out
}

func stateOf(s group.Status) v1.ChatState {
	switch s {
	case group.StatusInvited:
		return v1.ChatState_CHAT_STATE_INVITED
	case group.StatusActive:
		return v1.ChatState_CHAT_STATE_ACTIVE
	case group.StatusLeaving:
		return v1.ChatState_CHAT_STATE_LEAVING
	case group.StatusLeft:
		return v1.ChatState_CHAT_STATE_LEFT
	case group.StatusRemoved:
		return v1.ChatState_CHAT_STATE_REMOVED
	case group.StatusDeclined:
		return v1.ChatState_CHAT_STATE_DECLINED
	case group.StatusNewer:
		return v1.ChatState_CHAT_STATE_NEWER
	}
	return v1.ChatState_CHAT_STATE_UNSPECIFIED
}

func messageOf(m node.Message) *v1.Message {
	out := &v1.Message{
		Id: m.ID.String(), ChatId: m.Chat.String(), Author: personOf(m.Author), Time: m.Time, Cursor: cursorOf(m.Place),
		ClientId: m.Client, Reached: uint32(m.Reached), ReachOf: uint32(m.ReachOf), Read: uint32(m.Read),
		EarlierComing: m.EarlierComing, WhileSplit: m.WhileSplit, ClockOff: m.ClockOff,
		WrittenTwice: m.WrittenTwice, AuthorDevice: m.Place.Device.String(),
	}
	tell(out, m)
	return out
}

// cursorOf is empty for no place.
func cursorOf(p group.Place) string {
	if p == (group.Place{}) {
		return ""
	}
	return node.Cursor(p)
}

func parseCursor(text string) (group.Place, error) {
	p, ok := node.ParseCursor(text)
	if !ok {
		return group.Place{}, &Error{Reason: ReasonCursor}
	}
	return p, nil
}

func blockOf(b node.Block) *v1.Block {
	out := &v1.Block{
		Hash: b.Hash.String(), Height: b.Header.Height, Author: personOf(b.Author), CreatedAt: b.Header.CreatedAt,
		OnChain: b.OnChain, Class: classOf(b.Header.Class), SignatureValid: b.SignatureValid,
		StateRoot: b.Header.StateRoot.String(), HeaderHex: hex.EncodeToString(b.HeaderBytes),
		HeaderBytes: uint32(len(b.HeaderBytes)), BodyBytes: uint32(b.BodyBytes), Epoch: b.Epoch,
		AuthorDevice: b.Header.Author.Device.String(),
	}
	if b.Header.Parent != (wire.BlockHash{}) {
		out.Parent = b.Header.Parent.String()
	}
	for _, c := range b.Changes {
		out.Changes = append(out.Changes, &v1.Change{Kind: kindOf(c), Subject: somebody(c.Subject), Sentence: sentenceOf(b.Author, c)})
	}
	return out
}

func classOf(c chain.Class) string {
	switch c {
	case chain.ClassAdmin:
		return "admin"
	case chain.ClassRemoval:
		return "removal"
	}
	return "ordinary"
}

func kindOf(c node.Change) v1.ChangeKind {
	switch c.Op.(type) {
	case *chain.Genesis:
		return v1.ChangeKind_CHANGE_KIND_CREATED
	case *chain.Add:
		return v1.ChangeKind_CHANGE_KIND_ADDED
	case *chain.Remove:
		return v1.ChangeKind_CHANGE_KIND_REMOVED
	case *chain.Leave:
		return v1.ChangeKind_CHANGE_KIND_LEFT
	case *chain.SetRole:
		if c.Admin {
			return v1.ChangeKind_CHANGE_KIND_PROMOTED
		}
		return v1.ChangeKind_CHANGE_KIND_DEMOTED
	case *chain.SetInfo:
		return v1.ChangeKind_CHANGE_KIND_TITLE
	case *chain.Rekey:
		return v1.ChangeKind_CHANGE_KIND_REKEYED
	case *chain.SetPolicy:
		if len(c.People) > 0 {
			return v1.ChangeKind_CHANGE_KIND_VOTERS
		}
		if historyChanged(c) {
			return v1.ChangeKind_CHANGE_KIND_HISTORY
		}
	}
	return v1.ChangeKind_CHANGE_KIND_OTHER
}

// qrPicture draws a contact link for places that cannot do it themselves. Level
// M still scans when a seventh of it is hidden.
func qrPicture(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(code.PNG()), nil
}
