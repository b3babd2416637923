package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"kith/internal/group"
	"kith/internal/wire"
)

// An own device that the person linked is brought into every group by one that is in it: of
// those that are on, the one that the person's chain admitted first. So a group that one
// device joins or makes has the others soon, and a fork that undid it is made up for.

// bringAgain is when what could not be brought in is tried again: a key package may be
// lacking, or another device may have gone that was to do it.
const bringAgain = 30 * time.Second

// bringSoon has looked whether a device is to be brought into a group.
func (n *Node) bringSoon() {
	select {
	case n.brings <- struct{}{}:
	default:
	}
}

// bringing does so until ctx ends.
func (n *Node) bringing(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-n.brings:
		case <-t.C:
		case <-ctx.Done():
			return
		}
		if n.hasOthers() && n.Ready() && n.bringIn(ctx) {
			t.Reset(bringAgain)
		}
	}
}

// bringIn brings the other own devices into the groups in which this one is, and reports
// whether something is left to do. What the person looked at last comes first.
func (n *Node) bringIn(ctx context.Context) (left bool) {
	devices, before := n.linkedActive()
	if len(devices) == 0 {
		return false
	}
	for _, o := range n.byUse() {
		lacks := n.lacking(o, devices)
		if len(lacks) > 0 && n.leaves(o, before) {
			left = true
			continue
		}
		for _, d := range lacks {
			if ctx.Err() != nil {
				return false
			}
			if err := n.bring(o, d); err != nil {
				n.log.Info("an own device is not brought in yet", "group", shortGroup(o.id), "device", shortDevice(d), "err", err)
				left = true
			}
		}
	}
	return left
}

// linkedActive are the other own devices that were met and that the person's chain has as
// active; before are those of them that it admitted before this one.
func (n *Node) linkedActive() (list, before []wire.DeviceID) {
	self := n.me()
	state, _, err := group.PersonState(self.Headers)
	if err != nil {
		return nil, nil
	}
	earlier := group.Earlier(state, self.Device.ID())
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.own == nil {
		return nil, nil
	}
	for _, d := range n.own.Devices {
		if state.Active(d.id()) {
			list = append(list, d.id())
		}
		if slices.Contains(earlier, d.id()) {
			before = append(before, d.id())
		}
	}
	return list, before
}

// leaves reports whether this device leaves it to an earlier one, which is on and in the group:
// two that bring in a third at once would have to do one of it anew.
func (n *Node) leaves(o *owner, before []wire.DeviceID) bool {
	devices := o.picture.Load().devices
	return slices.ContainsFunc(before, func(d wire.DeviceID) bool {
		return n.sessionWith(d) != nil && hasDevice(devices, d)
	})
}

func hasDevice(devices []group.DeviceView, d wire.DeviceID) bool {
	return slices.ContainsFunc(devices, func(v group.DeviceView) bool { return v.Member.Device == d && !v.Former })
}

// byUse are the owners, of the chats looked at last first.
func (n *Node) byUse() []*owner {
	list := n.allOwners()
	n.mu.Lock()
	looks, notes := slices.Clone(n.looks), n.notes
	n.mu.Unlock()
	rank := func(o *owner) int {
		if o.id == notes { // by it the devices agree
			return -1
		}
		if i := slices.Index(looks, o.id); i >= 0 {
			return i
		}
		return len(looks)
	}
	slices.SortStableFunc(list, func(a, b *owner) int { return rank(a) - rank(b) })
	return list
}

// lacking returns which of the devices are not in a group in which this one is.
func (n *Node) lacking(o *owner, devices []wire.DeviceID) (list []wire.DeviceID) {
	p := o.picture.Load()
	self := n.me()
	if p.view.Status != group.StatusActive || p.view.Slashed || len(self.Former) > 0 && !p.view.Inside {
		return nil
	}
	for _, d := range devices {
		if !hasDevice(p.devices, d) {
			list = append(list, d)
		}
	}
	return list
}

var errNoOwnPackage = errors.New("node: there is no key package of the device for this group")

// bring adds an own device to a group.
func (n *Node) bring(o *owner, d wire.DeviceID) error {
	self := n.me()
	f := n.friendCopy(self.Person)
	m := f.device(d)
	if m == nil {
		return errNoOwnPackage
	}
	b := m.usable(f.member(m), o.picture.Load().view.Suite, n.nowMS())
	if b == nil {
		n.greetPerson(self.Person)
		return errNoOwnPackage
	}
	add := group.AddDevice{Person: self.Person, Headers: self.Headers, KnockKey: m.Knock, KeyPackage: b}
	return o.ask(func() error { return o.stepAlso(add, also{edits: []edit{takePackage(self.Person, b)}}) })
}
