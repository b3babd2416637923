package group

import (
	"slices"

	"kith/internal/identity"
	"kith/internal/wire"
)

// A Joining is an invitation to a group that this device does not know, while it
// comes in pages. Several members may invite; one is asked at a time, and when it
// is silent, gone, or lies, another. The zero value is not ready; its owner drops
// it when Idle says so.
type Joining struct {
	self     Self
	group    wire.GroupID
	inviter  []inviter // those who can go on, the one that is asked not among them
	now      *gathering
	reopened int // how often the one that is asked began anew in place of an answer
}

type inviter struct {
	from  wire.Member
	start opening // as kept returns it
}

func weightOf(list []inviter) (n int) {
	for _, i := range list {
		n += i.start.weight
	}
	return n
}

// NewJoining is for the group whose channel the invitation comes on.
func NewJoining(self Self, group wire.GroupID) *Joining { return &Joining{self: self, group: group} }

// Idle reports whether nobody is left to be asked.
func (j *Joining) Idle() bool { return j.now == nil }

// Asked returns who is asked for more; zero: nobody.
func (j *Joining) Asked() (p wire.PersonID) {
	if j.now != nil {
		p = j.now.from.Person
	}
	return p
}

// Progress returns how many blocks are here, and how many are known to come.
func (j *Joining) Progress() (have, left int) {
	if j.now == nil {
		return 0, 0
	}
	return j.now.m.blocks.Len(), int(j.now.left)
}

// Held returns how many bytes are kept of what came: [MaxComing] bounds those of all
// invitations together.
func (j *Joining) Held() int { return j.now.held() + weightOf(j.inviter) }

// Title is the title of the group that the blocks here commit to, if who invites has
// said it. Empty: it has none, it is not known, or another one is to come.
func (j *Joining) Title() string {
	if j.now == nil || j.now.m.blocks.Len() == 0 {
		return ""
	}
	s := j.now.m.stateAt(j.now.m.blocks.Head())
	for _, b := range j.now.start.infos {
		if info, err := identity.ParseInfo(b); err == nil && s != nil && info.Commit() == s.Info() {
			return info.Name
		}
	}
	return ""
}

// Take takes an invitation, whole or in pages, as [Join] does. While more is to
// come the machine is nil, and Effects say whom to ask and when to call Tick. An
// error is the fault of from; others may be asked nevertheless.
func (j *Joining) Take(now uint64, payload []byte, from wire.Member, secrets Secrets) (*Machine, Effects, error) {
	if !isPages(payload) {
		m, eff, err := Join(j.self, payload, from, secrets, now)
		if err == nil && m.group != j.group {
			return nil, Effects{}, refuse(ReasonInvite, errGroup)
		}
		return m, eff, err
	}
	f, err := parsePages(wire.NewReader(payload[1:]))
	if err != nil {
		return nil, Effects{}, refuse(ReasonInvite, err)
	}
	if f.opening != nil {
		return j.opening(now, *f.opening, from, secrets)
	}
	if j.now == nil || j.now.from != from {
		return nil, Effects{}, nil // it was given up
	}
	j.reopened = 0
	last, err := j.now.take(*f.page, false)
	return j.taken(now, last, err, secrets)
}

func (j *Joining) opening(now uint64, o opening, from wire.Member, secrets Secrets) (*Machine, Effects, error) {
	if o.block == (wire.BlockHash{}) {
		return nil, Effects{}, refuse(ReasonInvite, errShape)
	}
	if g := j.now; g != nil && g.from != from {
		if g.waits(now) {
			j.remember(from, o)
			return nil, Effects{}, nil
		}
		j.remember(g.from, g.start)
		j.reopened = 0
	}
	j.forget(from.Device)
	j.follow(now, from, o)
	last, err := j.now.take(o.page, true)
	if j.reopened++; j.reopened > maxReopened {
		err = errIncomplete
	}
	return j.taken(now, last, err, secrets)
}

// follow asks a member from here on, for what is not here yet if its base is the
// one before, else for everything.
func (j *Joining) follow(now uint64, from wire.Member, o opening) {
	if j.now != nil && j.now.base == o.page.base {
		j.now.follow(from, o)
		return
	}
	m := newMachine(j.self)
	m.now = now
	j.now = newGathering(m, j.group, from, o)
}

// taken goes on after a page.
func (j *Joining) taken(now uint64, last bool, err error, secrets Secrets) (*Machine, Effects, error) {
	g := j.now
	if err == nil && last {
		var m *Machine
		var eff Effects
		if m, eff, err = g.join(now, secrets); err == nil {
			j.now, j.inviter = nil, nil
			return m, eff, nil
		}
	}
	if err != nil {
		j.now = nil // nothing of it is believed
		return nil, j.another(now), refuse(ReasonInvite, err)
	}
	return nil, j.asking(now), nil
}

// join makes the machine of what was gathered.
func (g *gathering) join(now uint64, secrets Secrets) (*Machine, Effects, error) {
	if err := g.check(); err != nil {
		return nil, Effects{}, err
	}
	if err := g.m.comeIn(now, g.start.invitation, g.from, secrets, &g.eff); err != nil {
		return nil, Effects{}, err
	}
	return g.m, g.m.finish(now, g.eff), nil
}

// asking asks for the next page.
func (j *Joining) asking(now uint64) (eff Effects) {
	j.now.until = now + pageTimeout
	eff.send(j.now.from.Device, j.now.ask())
	eff.Wake = j.now.until
	return eff
}

// waits reports whether an answer may still come. An end further away than any is
// was set by a clock that was set back since.
func (g *gathering) waits(now uint64) bool { return now < g.until && g.until <= now+pageTimeout }

// another asks the next inviter, if there is one.
func (j *Joining) another(now uint64) Effects {
	j.reopened = 0
	if len(j.inviter) == 0 {
		return Effects{}
	}
	next := j.inviter[0]
	j.inviter = j.inviter[1:]
	j.follow(now, next.from, next.start)
	return j.asking(now)
}

// Tick asks another member if the one that was asked is silent.
func (j *Joining) Tick(now uint64) Effects {
	if j.now == nil || j.now.waits(now) {
		return Effects{}
	}
	j.remember(j.now.from, j.now.start)
	return j.another(now)
}

// Down tells that the session with a device is over. What came from it stays.
func (j *Joining) Down(now uint64, d wire.DeviceID) (eff Effects) {
	j.forget(d)
	if j.now == nil || j.now.from.Device != d {
		return eff
	}
	if eff = j.another(now); len(eff.Send) == 0 {
		j.now.from, j.now.until = wire.Member{}, now // until somebody comes
	}
	return eff
}

// Alone reports whether some of an invitation is here and nobody who brings more.
func (j *Joining) Alone() bool { return j.now != nil && j.now.from == wire.Member{} }

// remember keeps a member for later; the newest word of each counts.
func (j *Joining) remember(from wire.Member, o opening) {
	j.forget(from.Device)
	if o = o.kept(); len(j.inviter) < maxOpenings && from != (wire.Member{}) && j.Held()+o.weight <= maxGathered {
		j.inviter = append(j.inviter, inviter{from, o})
	}
}

func (j *Joining) forget(d wire.DeviceID) {
	j.inviter = slices.DeleteFunc(j.inviter, func(i inviter) bool { return i.from.Device == d })
}
