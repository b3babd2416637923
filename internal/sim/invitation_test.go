package sim_test

import (
	"errors"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// Invitations that lie. A newcomer that cannot check all of it refuses it whole.

// A guest is somebody who got an invitation and has not opened it.
type guest struct {
	*sim.Node
	from    wire.Member
	payload []byte
	secrets map[[32]byte][]byte
}

// invite lets Ann invite Dan, who is not connected, and catches what she would
// send him.
func invite(t *testing.T) (*sim.World, *guest, wire.GroupID) {
	t.Helper()
	w, nodes, g := trip(t, "Ann", "Ben")
	ann := nodes[0]
	must(t, ann.Say(g, "before"))
	w.Run(3000)
	dan := &guest{Node: w.Add("Dan"), from: ann.Self.Member(), secrets: make(map[[32]byte][]byte)}
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.newcomer(w.Now)}}))
	dan.payload = last(t, ann, dan.Node, kindInvitation)
	return w, dan, g
}

// newcomer is Newcomer with the package's secrets in our hands.
func (d *guest) newcomer(now uint64) group.Newcomer {
	p, err := d.Self.NewPackage(group.NewSuite, now)
	if err != nil {
		panic(err)
	}
	d.secrets[p.Ref] = p.Secrets
	return group.Newcomer{
		Person: d.Self.Person, Headers: d.Self.Headers, Info: d.Self.Info,
		KnockKey: d.Self.Device.KnockKey(), KeyPackage: p.Public,
	}
}

func (d *guest) find(u group.Use) ([]byte, bool) {
	b, ok := d.secrets[u.Ref]
	return b, ok
}

func (d *guest) join(payload []byte) (*group.Machine, group.Effects, error) {
	return group.Join(d.Self, payload, d.from, d.find, sim.Start)
}

// refused fails unless err is the refusal of an invitation.
func refused(t *testing.T, what string, err error) {
	t.Helper()
	var r *group.Refusal
	if !errors.As(err, &r) || r.Reason != group.ReasonInvite {
		t.Errorf("%s: %v", what, err)
	}
}

// parts are the fields of an invitation (docs/spec/sync.md).
type parts struct {
	block          wire.BlockHash
	message, floor []byte
	rest           []byte // blocks, reaches, infos, certificate
}

func take(t *testing.T, payload []byte) (p parts) {
	t.Helper()
	r := wire.NewReader(payload)
	r.U8()
	r.Fixed(p.block[:])
	s := r.Sub(1 << 24)
	p.message, p.floor = s.Vec(1<<24), s.Vec(1<<24)
	p.rest = r.Raw(r.Len())
	must(t, s.Done())
	return p
}

func (p parts) bytes() []byte {
	var w wire.Writer
	w.U8(kindInvitation)
	w.Raw(p.block[:])
	w.Group(func(w *wire.Writer) {
		w.Vec(p.message)
		w.Vec(p.floor)
	})
	w.Raw(p.rest)
	return w.Bytes()
}

func TestInvitationThatLies(t *testing.T) {
	_, dan, _ := invite(t)
	true0 := take(t, dan.payload)
	if !slices.Equal(true0.bytes(), dan.payload) {
		t.Fatal("the test does not spell an invitation as the program does")
	}
	for what, lie := range map[string]func(*parts){
		"another block":    func(p *parts) { p.block[0]++ },
		"no floor":         func(p *parts) { p.floor = []byte{1, 0, 0} },
		"another floor":    func(p *parts) { p.floor[len(p.floor)-1]++ },
		"another welcome":  func(p *parts) { p.message[len(p.message)/2]++ },
		"a longer welcome": func(p *parts) { p.message = append(p.message, 0) },
		"another tree":     func(p *parts) { p.message[len(p.message)-20]++ },
		"no blocks":        func(p *parts) { p.rest = []byte{0, 0, 0, 0} },
		"left over":        func(p *parts) { p.rest = append(p.rest, 0) },
	} {
		p := parts{true0.block, slices.Clone(true0.message), slices.Clone(true0.floor), slices.Clone(true0.rest)}
		lie(&p)
		_, _, err := dan.join(p.bytes())
		refused(t, what, err)
	}
	if _, _, err := dan.join(dan.payload); err != nil {
		t.Errorf("the true one: %v", err)
	}
}

// TestInvitationFlipped flips bytes all over: no panic, and whatever is still
// taken leads to the same group.
func TestInvitationFlipped(t *testing.T) {
	_, dan, g := invite(t)
	taken := 0
	for at := 1; at < len(dan.payload); at += 61 {
		b := slices.Clone(dan.payload)
		b[at] ^= 1
		m, _, err := dan.join(b)
		if err != nil {
			continue
		}
		if taken++; m.Group() != g || m.Status() != group.StatusInvited {
			t.Errorf("byte %d flipped leads into another group", at)
		}
	}
	t.Logf("%d flips outside of what is checked: names, titles", taken)
}

// TestInvitationForAnother: who is not named cannot open it, a package that was
// used up opens nothing again, and only a member can bring it.
func TestInvitationForAnother(t *testing.T) {
	w, dan, _ := invite(t)
	eve := &guest{Node: w.Add("Eve"), from: dan.from, secrets: dan.secrets}
	_, _, err := eve.join(dan.payload)
	refused(t, "another person", err)

	stranger := &guest{Node: dan.Node, from: eve.Self.Member(), secrets: dan.secrets}
	_, _, err = stranger.join(dan.payload)
	refused(t, "from a stranger", err)

	_, eff, err := dan.join(dan.payload)
	must(t, err)
	if len(eff.Used) != 1 {
		t.Fatalf("used up: %v", eff.Used)
	}
	delete(dan.secrets, eff.Used[0].Ref)
	_, _, err = dan.join(dan.payload)
	refused(t, "a second time", err)
}

// TestScenario12StaleWelcome: a stale invitation leads in, and the first blocks from
// anybody lead out again; nothing was said meanwhile.
func TestScenario12StaleWelcome(t *testing.T) {
	w, nodes, g := trip(t, "Ann", "Ben", "Cleo")
	ann, ben := nodes[0], nodes[1]
	dan := w.Add("Dan")
	must(t, ann.Do(g, group.Invite{Newcomers: []group.Newcomer{dan.Newcomer()}}))
	stale := last(t, ann, dan, kindInvitation)
	dan.Stop()
	must(t, ann.Do(g, group.Remove{Person: dan.Self.Person}))
	w.Run(3000)
	w.Cut(ann, dan)
	w.Cut(ben, dan)
	w.Cut(nodes[2], dan)
	dan.Start()
	w.Heal(ben, dan)
	w.Deliver(ben, dan, g, stale)
	if status(dan, g) != group.StatusInvited {
		t.Fatalf("Dan has status %d", status(dan, g))
	}
	must(t, dan.Do(g, group.Accept{}))
	must(t, dan.Say(g, "hello?"))
	w.Run(10_000)
	if status(dan, g) != group.StatusRemoved {
		t.Errorf("Dan has status %d", status(dan, g))
	}
	sees(t, g, nil, ann, ben)
	if err := dan.Say(g, "still here?"); err == nil {
		t.Error("Dan may still write")
	}
}
