package node

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"

	"kith/internal/bundle"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/wire"
)

// Invitations by mailbox: whoever is invited to a group has no drop of it yet, and finds the
// invitation in the drop of the direct chat (docs/spec/mailbox-drops.md, "What goes where").

// A mailInvitation is one to a group, for a device of the other person of a direct chat.
type mailInvitation struct {
	to     *owner
	device wire.DeviceID
	block  wire.BlockHash // by which the device was admitted
}

// mailInvited says that an invitation was left.
type mailInvited struct {
	Block wire.BlockHash
	At    uint64 // ms
}

// inviteAnew is after how long one that nobody has answered is left once more, in ms: the mailbox
// keeps it for mailHours.
const inviteAnew = (mailHours - 7*24) * 3600 * 1000

func (i mailInvitation) name() string {
	return hex.EncodeToString(i.to.id[:]) + hex.EncodeToString(i.device[:])
}

// invitations are those that this device has for the other person of a direct chat, who is off,
// and that were not left here.
func (t *mailTask) invitations() (list []mailInvitation) {
	p, direct := t.n.DirectWith(t.key.group)
	if !direct || nowTime().Before(t.inviteAfter) {
		return nil
	}
	for _, o := range t.n.allOwners() {
		drawn := o.picture.Load()
		if !slices.ContainsFunc(drawn.view.Members, func(m group.MemberView) bool { return m.Person == p && !m.Accepted }) {
			continue // a machine is not loaded for nothing
		}
		for _, d := range drawn.devices {
			if o == t.o || d.Former || d.Member.Person != p || t.n.sessionWith(d.Member.Device) != nil {
				continue
			}
			i, invites := mailInvitation{to: o, device: d.Member.Device}, false
			if o.ask(func() error { i.block, invites = o.machine.Invites(i.device); return nil }) == nil && invites && !t.lies(i) {
				list = append(list, i)
			}
		}
	}
	return list
}

// lies reports whether an invitation was left here, and not too long ago.
func (t *mailTask) lies(i mailInvitation) bool {
	was := t.state.Invited[i.name()]
	return was.Block == i.block && was.At <= t.n.nowMS() && t.n.nowMS() < was.At+inviteAnew
}

// sealInvitations makes items of invitations, each a bundle of its own. Those that are too long come
// in a session.
func (t *mailTask) sealInvitations(list []mailInvitation, secret [32]byte, small bool) (items [][]byte, left []mailInvitation, err error) {
	for _, i := range list {
		var payloads [][]byte
		if err := i.to.ask(func() error { payloads = i.to.machine.ExportInvitation(i.device); return nil }); err != nil {
			return nil, nil, err
		}
		if len(payloads) == 0 {
			continue
		}
		sealed, err := t.seal(i.to.id, payloads, secret, small)
		switch {
		case errors.Is(err, bundle.ErrTooLong):
			t.n.log.Info("an invitation is too long for a mailbox", "group", shortGroup(i.to.id), "for", shortDevice(i.device))
		case err != nil:
			return nil, nil, err
		default:
			items, left = append(items, sealed...), append(left, i)
		}
	}
	return items, left, nil
}

// invited notes that invitations were dealt with, of which some were left, and forgets those that are none any more.
func (t *mailTask) invited(list, left []mailInvitation) {
	kept := make(map[string]mailInvited)
	for _, o := range t.n.allOwners() {
		for _, d := range o.picture.Load().devices {
			if name := (mailInvitation{to: o, device: d.Member.Device}).name(); t.state.Invited[name] != (mailInvited{}) {
				kept[name] = t.state.Invited[name]
			}
		}
	}
	for _, i := range list {
		kept[i.name()] = mailInvited{i.block, t.n.nowMS()}
	}
	for _, i := range left {
		t.n.log.Info("an invitation lies in a mailbox", "group", shortGroup(i.to.id), "for", shortDevice(i.device))
	}
	t.state.Invited = kept
}

// leaveInvitations leaves invitations in the drop of the direct chat. One that cannot be left holds
// up nothing else.
func (t *mailTask) leaveInvitations(ctx context.Context, k keptKey, day uint64) {
	if list := t.invitations(); len(list) > 0 {
		if err := t.putInvitations(ctx, k, day, list); err != nil {
			t.n.log.Info("an invitation was not left", "err", err)
			t.inviteAfter = nowTime().Add(mailAgain)
		}
	}
}

func (t *mailTask) putInvitations(ctx context.Context, k keptKey, day uint64, list []mailInvitation) error {
	items, left, err := t.sealInvitations(list, k.Item(t.key.box, uint32(day)), false)
	if err != nil {
		return err
	}
	if len(items) > 0 {
		if err := t.putItems(ctx, k, day, items); err != nil {
			return err
		}
	}
	t.invited(list, left)
	return t.save()
}

// takeInvited takes a payload that somebody left here for another group than the task's: of the
// other person of a direct chat an invitation, of anybody else nothing.
func (t *mailTask) takeInvited(from wire.Member, g wire.GroupID, payload []byte) error {
	if p, direct := t.n.DirectWith(t.key.group); !direct || from.Person != p || t.n.owner(g) != nil {
		return nil
	}
	return t.n.invitedAway(from, g, payload)
}

// stirInvited has the tasks of the direct chats with people look for invitations.
func (n *Node) stirInvited(people []wire.PersonID) {
	n.stirMails(func(g wire.GroupID) bool {
		p, direct := n.directWith(g)
		return direct && slices.Contains(people, p)
	})
}

// boxInChat is the mailbox that a device of a friend names in the direct chat.
func (n *Node) boxInChat(who wire.Member) (b identity.Box, ok bool) {
	n.mu.Lock()
	f := n.friends[who.Person]
	n.mu.Unlock()
	if f == nil {
		return b, false
	}
	o := n.owner(f.Chat)
	if o == nil {
		return b, false
	}
	devices := o.picture.Load().devices
	at := slices.IndexFunc(devices, func(d group.DeviceView) bool { return d.Member == who && d.Reach != nil && !d.Former })
	if at < 0 {
		return b, false
	}
	return boxIn(devices[at].Reach.Hosts)
}
