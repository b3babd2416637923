package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/mls"
)

// An action is one thing that happens in a run. a, b and n choose among what is
// possible when it happens, so that a schedule of which some were left out can
// still be played.
type action struct {
	wait uint64 // ms before it
	what int    // index into deeds
	a, b uint64
}

// A deed is a kind of action.
type deed struct {
	weight func(Config) int
	do     func(*run, action)
}

func always(n int) func(Config) int { return func(Config) int { return n } }

func loss(part int) func(Config) int  { return func(c Config) int { return c.Loss * part / 10 } }
func crash(part int) func(Config) int { return func(c Config) int { return c.Crash * part / 10 } }

// mix is a weight, and that in a run that looks rarely: there most stay, and talk.
func mix(n, rarely int) func(Config) int {
	return func(c Config) int {
		if c.Rarely {
			return rarely
		}
		return n
	}
}

func mischief(c Config) int { return max(0, c.Hostile) * 16 }

var deeds = []deed{
	{mix(24, 36), (*run).say},
	{mix(8, 14), (*run).accept},
	{mix(6, 8), (*run).invite},
	{mix(4, 2), (*run).remove},
	{always(4), (*run).setRole},
	{mix(3, 1), (*run).leave},
	{mix(3, 1), (*run).title},
	{always(2), (*run).history},
	{always(2), (*run).reach},
	{always(2), (*run).rekey},
	{mix(4, 2), (*run).race},
	{always(2), (*run).park},
	{always(2), (*run).rejoin},
	{always(2), (*run).addDevice},
	{always(1), (*run).enter},
	{always(1), (*run).removeDevice},
	{crash(1), (*run).lose},
	{mischief, (*run).mischief},
	{always(7), (*run).replay},
	{loss(4), (*run).cutPair},
	{loss(4), (*run).healPair},
	{loss(1), (*run).part},
	{loss(1), func(r *run, _ action) { r.HealAll() }},
	{crash(3), (*run).stop},
	{crash(4), (*run).start},
	{crash(3), (*run).crash},
}

// schedule makes the actions of a run.
func schedule(r *rand.Rand, c Config) (actions []action) {
	total := 0
	for _, d := range deeds {
		total += d.weight(c)
	}
	waits := []uint64{0, 0, 0, 5, 30, 200, 1_000, 1_000, 4_000, 100_000} // the last lets voters vote
	for range c.Steps {
		a := action{wait: waits[r.IntN(len(waits))], a: r.Uint64(), b: r.Uint64()}
		for n := r.IntN(total); n >= deeds[a.what].weight(c); a.what++ {
			n -= deeds[a.what].weight(c)
		}
		actions = append(actions, a)
	}
	return actions
}

func (r *run) do(a action) { deeds[a.what].do(r, a) }

// pick chooses one of the nodes that ok accepts; nil if there is none.
func (r *run) pick(n uint64, ok func(*Node) bool) *Node {
	var list []*Node
	for _, o := range r.Nodes {
		if ok(o) {
			list = append(list, o)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[n%uint64(len(list))]
}

func (r *run) machine(n *Node) *group.Machine {
	if rep := n.Groups[r.g]; rep != nil && n.Online {
		return rep.Machine
	}
	return nil
}

func (r *run) stands(s group.Status) func(*Node) bool {
	return func(n *Node) bool {
		m := r.machine(n)
		return m != nil && m.Status() == s
	}
}

func (r *run) state(n *Node) *chain.State {
	m := r.machine(n)
	return m.Blocks().State(m.Head())
}

// admin chooses a node that is an admin by its own head.
func (r *run) admin(n uint64) *Node {
	active := r.stands(group.StatusActive)
	return r.pick(n, func(o *Node) bool { return active(o) && r.state(o).IsAdmin(o.Self.Person) })
}

// other chooses a member, by n's head, that is not n.
func (r *run) other(n *Node, choice uint64) *Node {
	s := r.state(n)
	return r.pickAny(choice, func(o *Node) bool { return o != n && s.Belongs(o.Self.Device.ID()) })
}

// pickAny is pick, among those that are off too.
func (r *run) pickAny(n uint64, ok func(*Node) bool) *Node { return r.pick(n, ok) }

func (r *run) say(a action) {
	if n := r.pick(a.a, r.stands(group.StatusActive)); n != nil {
		if a.b%2 == 0 && !r.plain {
			r.annotate(n, a.b>>8)
			return
		}
		r.count++
		n.Say(r.g, fmt.Sprintf("%s %d", n.Name, r.count))
	}
}

func (r *run) accept(a action) {
	if n := r.pick(a.a, r.stands(group.StatusInvited)); n != nil {
		n.Do(r.g, group.Accept{})
	}
}

func (r *run) invite(a action) {
	n := r.admin(a.a)
	if n == nil {
		return
	}
	s := r.state(n)
	o := r.pick(a.b, func(o *Node) bool {
		who, known := s.Person(o.Self.Person)
		return !(known && who.Status != chain.StatusRemoved) && !r.revoked[o] && near(n, o)
	})
	if o == nil {
		return
	}
	who := o.NewcomerFor(mls.Suite(s.Suite()))
	if a.b>>32%3 == 0 {
		who = o.LastResort(mls.Suite(s.Suite()))
	}
	n.Do(r.g, group.Invite{Newcomers: []group.Newcomer{who}})
}

func (r *run) remove(a action) {
	if n := r.admin(a.a); n != nil {
		if o := r.other(n, a.b); o != nil {
			n.Do(r.g, group.Remove{Person: o.Self.Person})
		}
	}
}

// setRole promotes who is no admin, and demotes who is one, itself included.
func (r *run) setRole(a action) {
	n := r.admin(a.a)
	if n == nil {
		return
	}
	s := r.state(n)
	o := r.pick(a.b, func(o *Node) bool { return s.Belongs(o.Self.Device.ID()) })
	if o == nil {
		return
	}
	role := chain.RoleAdmin
	if s.IsAdmin(o.Self.Person) {
		role = chain.RoleMember
	}
	n.Do(r.g, group.SetRole{Person: o.Self.Person, Role: role})
}

// leave lets a member leave, or an invited one decline.
func (r *run) leave(a action) {
	n := r.pick(a.a, func(n *Node) bool { return r.stands(group.StatusActive)(n) || r.stands(group.StatusInvited)(n) })
	if n == nil {
		return
	}
	c := group.Leave{}
	if s := r.state(n); len(s.Admins()) == 1 && s.IsAdmin(n.Self.Person) {
		o := r.other(n, a.b)
		if o == nil {
			return
		}
		c.Successor = o.Self.Person
	}
	n.Do(r.g, c)
}

func (r *run) title(a action) {
	if n := r.admin(a.a); n != nil {
		n.Do(r.g, group.SetTitle{Title: fmt.Sprintf("Trip %d", a.b%1000)})
	}
}

func (r *run) reach(a action) {
	if n := r.pick(a.a, r.stands(group.StatusActive)); n != nil {
		n.Do(r.g, group.SetReach{Peer: []byte("peer"), Hosts: []string{fmt.Sprintf("/ip4/10.0.0.%d", a.b%256)}, Expiry: r.Now + a.b%1_000_000})
	}
}

func (r *run) rekey(a action) {
	if n := r.pick(a.a, r.stands(group.StatusActive)); n != nil {
		n.Do(r.g, group.Rekey{})
	}
}

// race lets every admin change something in the same instant.
func (r *run) race(a action) {
	for i := range r.Nodes {
		sub := action{a: a.a + uint64(i), b: a.b >> i}
		switch sub.b % 5 {
		case 0:
			r.title(sub)
		case 1:
			r.setRole(sub)
		case 2:
			r.invite(sub)
		case 3:
			r.remove(sub)
		case 4:
			r.say(sub)
		}
	}
}

func (r *run) cutPair(a action) {
	r.Cut(r.Nodes[a.a%uint64(len(r.Nodes))], r.Nodes[a.b%uint64(len(r.Nodes))])
}

func (r *run) healPair(a action) {
	r.Heal(r.Nodes[a.a%uint64(len(r.Nodes))], r.Nodes[a.b%uint64(len(r.Nodes))])
}

func (r *run) part(a action) {
	r.Part(func(n *Node) bool { return a.a>>n.index&1 == 1 })
}

func (r *run) stop(a action) {
	if n := r.pick(a.a, func(n *Node) bool { return n.Online }); n != nil {
		n.Stop()
	}
}

func (r *run) start(a action) {
	if n := r.pick(a.a, func(n *Node) bool { return !n.Online }); n != nil {
		n.Start()
	}
}

// crash kills a node in the next step that it would write something in.
func (r *run) crash(a action) {
	if n := r.pick(a.a, func(n *Node) bool { return n.Online }); n != nil {
		n.Crash = CrashBefore + Crash(a.b%2)
	}
}

// park lets an admin set a device aside, also one that is there.
func (r *run) park(a action) {
	if n := r.admin(a.a); n != nil {
		if o := r.other(n, a.b); o != nil {
			n.Do(r.g, group.Park{Device: o.Self.Device.ID()})
		}
	}
}

// rejoin lets somebody come back at once who does not wait for its turn.
func (r *run) rejoin(a action) {
	n := r.pick(a.a, func(n *Node) bool { return r.stands(group.StatusActive)(n) && r.machine(n).View().NoKeys })
	if n != nil {
		n.Do(r.g, group.Rejoin{})
	}
}

// linked chooses a device that is not in the group, of a person who is.
func (r *run) linked(n uint64, s *chain.State) *Node {
	return r.pick(n, func(o *Node) bool {
		who, ok := s.Person(o.Self.Person)
		return ok && who.Status != chain.StatusRemoved && !s.Belongs(o.Self.Device.ID()) && !r.revoked[o]
	})
}

// addDevice lets a member add a device, that of its own person or of another.
func (r *run) addDevice(a action) {
	n := r.pick(a.a, r.stands(group.StatusActive))
	if n == nil {
		return
	}
	if o := r.linked(a.b, r.state(n)); o != nil && near(n, o) {
		n.Do(r.g, o.DeviceFor(mls.Suite(r.state(n).Suite())))
	}
}

// enter lets a device add itself that does not know the group.
func (r *run) enter(a action) {
	n := r.pick(a.a, func(n *Node) bool { return r.stands(group.StatusActive)(n) && !r.machine(n).View().NoKeys })
	if n == nil || r.machine(n).Blocks().Lights() { // who came in without commits makes no entrance
		return
	}
	if o := r.linked(a.b, r.state(n)); o != nil && o.Groups[r.g] == nil && r.Linked(n, o) {
		if err := o.Enter(r.g, n); err != nil && r.honest(n) && r.honest(o) && !errors.Is(err, group.ErrStale) && !errors.Is(err, errCrash) {
			fail("%s cannot come in by %s: %v", o.Name, n.Name, err)
		}
	}
}

// removeDevice lets a person revoke one of its devices, and a member take it out.
func (r *run) removeDevice(a action) {
	n := r.pick(a.a, r.stands(group.StatusActive))
	if n == nil {
		return
	}
	s := r.state(n)
	o := r.pick(a.b, func(o *Node) bool {
		return o != n && o.linkedBy != nil && s.Belongs(o.Self.Device.ID())
	})
	if o == nil {
		return
	}
	if !r.revoked[o] {
		r.revoked[o] = true
		o.linkedBy.Revoke(o)
	}
	n.Do(r.g, group.RemoveDevice{Device: o.Self.Device.ID(), Headers: o.Self.Headers})
}

// lose takes the keys from a device, but never from the last that has those of
// its head and may give them: then nobody could go on.
func (r *run) lose(a action) {
	able := func(n *Node) bool {
		return r.honest(n) && r.stands(group.StatusActive)(n) && !r.machine(n).View().NoKeys
	}
	n := r.pick(a.a, able)
	if n == nil {
		return
	}
	other := r.pick(a.b, func(o *Node) bool {
		return o != n && able(o) && r.machine(o).Head() == r.machine(n).Head()
	})
	if other != nil {
		n.Lose(r.g)
	}
}
