package chain_test

import (
	"bytes"
	"errors"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// A divided group has two branches from the same block. Pictures say what it
// is, as in picture_test.go:
//
//	G -> A | G -> L     A: ann retitles, L: ben removes cat
type divided struct {
	*group
	at map[string]wire.BlockHash
}

// divide makes the group of ann, ben (admins), cat and dan.
func divide(t testing.TB) *divided {
	d := &divided{newGroup(t, chain.Policy{}, "ann", "ben*", "cat", "dan"), map[string]wire.BlockHash{}}
	d.at["G"] = d.blocks.Genesis()
	return d
}

// on makes the block name on the block parent.
func (d *divided) on(parent, name, who string, papers [][]byte, ops ...chain.Op) {
	d.t.Helper()
	hash := d.at[parent]
	h, body := d.draft(d.blocks.State(hash), hash, d.person(who), papers, ops...)
	d.take(h, body)
	d.at[name] = h.Hash()
}

// in returns the instance of a person after a block.
func (d *divided) in(block, name string) wire.Instance {
	m, _ := d.blocks.State(d.at[block]).Person(d.person(name).id)
	return m.Instance
}

func (d *divided) retitle() *chain.SetInfo {
	return &chain.SetInfo{Info: wire.Digest{byte(d.blocks.Len())}}
}

func (d *divided) removal(block, name string) *chain.Remove {
	return &chain.Remove{Person: d.person(name).id, Instance: d.in(block, name)}
}

// branch returns the headers of the blocks named, as a Carry cites them.
func (d *divided) branch(names ...string) []byte {
	var headers []*chain.Header
	for _, name := range names {
		headers = append(headers, d.blocks.Header(d.at[name]))
	}
	return chain.MarshalProof(headers)
}

// carry checks a block of ann's on the block parent, which carries the removal
// of name in the last block of the losing branch, after change.
func (d *divided) carry(parent, name string, branch []string, change func(*chain.Carry, *[][]byte)) (*chain.State, error) {
	papers := [][]byte{d.branch(branch...)}
	op := &chain.Carry{
		Block: d.at[branch[len(branch)-1]], Person: d.person(name).id, Instance: d.in(parent, name),
		Cites: []wire.Digest{chain.Cite(papers[0])},
	}
	if change != nil {
		change(op, &papers)
	}
	p := d.params(d.person("ann"), op)
	p.Parent = d.at[parent]
	h, _, err := chain.Draft(d.blocks.State(p.Parent), p)
	if err != nil {
		return nil, err
	}
	body := bodyOf(false, papers...)
	seal(h, body, d.person("ann").keys[0])
	if h.Class != chain.ClassOrdinary {
		d.t.Errorf("a Carry of class %d", h.Class)
	}
	return d.blocks.Check(h, body)
}

func TestCarry(t *testing.T) {
	for _, c := range []struct {
		picture string
		play    func(*divided)
		target  string
		branch  []string
	}{
		{"G -> A | G -> L: ben removes cat", func(d *divided) {
			d.on("G", "L", "ben", nil, d.removal("G", "cat"))
		}, "cat", []string{"L"}},
		{"G -> A | G -> K -> L: ben retitles, then removes cat", func(d *divided) {
			d.on("G", "K", "ben", nil, d.retitle())
			d.on("K", "L", "ben", nil, &chain.Rekey{}, d.removal("K", "cat"))
		}, "cat", []string{"K", "L"}},
		{"G -> A -> B | G -> K -> L: ann and ben add eve, then ben removes her", func(d *divided) {
			eve := d.person("eve")
			d.on("A", "B", "ann", eve.papers(1), eve.add(chain.RoleMember, 1))
			d.on("G", "K", "ben", eve.papers(1), eve.add(chain.RoleMember, 1))
			d.on("K", "L", "ben", nil, d.removal("K", "eve"))
		}, "eve", []string{"K", "L"}},
	} {
		d := divide(t)
		d.on("G", "A", "ann", nil, d.retitle())
		c.play(d)
		tip := "A"
		if d.at["B"] != (wire.BlockHash{}) {
			tip = "B"
		}
		s, err := d.carry(tip, c.target, c.branch, nil)
		if err != nil {
			t.Errorf("%s: %v", c.picture, err)
			continue
		}
		if m, _ := s.Person(d.person(c.target).id); m.Status != chain.StatusRemoved {
			t.Errorf("%s: %s is still there", c.picture, c.target)
		}
	}
}

// withDevice is G -> A -> B | A -> L: A adds ben's second device, ann retitles,
// and ben takes the device out again in L, which loses.
func withDevice(t testing.TB) *divided {
	d := divide(t)
	ben := d.person("ben")
	ben.second(t)
	op, papers := d.addDevice(ben, 1, false)
	d.on("G", "A", "cat", papers, op)
	d.on("A", "B", "ann", nil, d.retitle())
	ben.extend(t, drop(ben.device(1)))
	gone, papers := d.removeDevice(ben, 1)
	d.on("A", "L", "ben", papers, gone)
	return d
}

// ofDevice makes the Carry one of ben's second device.
func (d *divided) ofDevice(op *chain.Carry, papers *[][]byte) {
	proof := d.person("ben").proof()
	op.Device = d.person("ben").device(1)
	op.Cites, *papers = append(op.Cites, chain.Cite(proof)), append(*papers, proof)
}

// TestCarryNewer: a branch that needs a newer program is not held against who
// carries it over.
func TestCarryNewer(t *testing.T) {
	d := divide(t)
	d.on("G", "A", "ann", nil, d.retitle())
	d.on("G", "L", "ben", nil, d.removal("G", "cat"))
	_, err := d.carry("A", "cat", []string{"L"}, func(op *chain.Carry, papers *[][]byte) {
		h := d.blocks.Header(d.at["L"]).Bytes()
		proof := d.branch("L")
		proof[bytes.Index(proof, h)] = chain.HeaderVersion + 1
		cite(op, papers, 0, proof)
	})
	if !errors.Is(err, chain.ErrNewer) {
		t.Error(err)
	}
}

func TestCarryOfADevice(t *testing.T) {
	d := withDevice(t)
	s, err := d.carry("B", "ben", []string{"L"}, d.ofDevice)
	if err != nil {
		t.Fatal(err)
	}
	if s.Belongs(d.person("ben").device(1)) || !s.Active(d.person("ben").device(0)) {
		t.Error("not the device that was revoked")
	}
}

// carrying tries a Carry on A of what ben removed in L, after change:
//
//	G -> A | G -> L     A: ann retitles, L: ben removes cat
func carrying(change func(*divided, *chain.Carry, *[][]byte)) func(*group) error {
	return func(g *group) error {
		d := divide(g.t)
		d.on("G", "A", "ann", nil, d.retitle())
		d.on("G", "L", "ben", nil, d.removal("G", "cat"))
		_, err := d.carry("A", "cat", []string{"L"}, func(op *chain.Carry, papers *[][]byte) { change(d, op, papers) })
		return err
	}
}

// played tries a Carry in a picture that play draws.
func played(play func(d *divided) (parent, target string, branch []string)) func(*group) error {
	return func(g *group) error {
		d := divide(g.t)
		parent, target, branch := play(d)
		_, err := d.carry(parent, target, branch, nil)
		return err
	}
}

// cite puts other papers in the place of those cited.
func cite(op *chain.Carry, papers *[][]byte, i int, b []byte) {
	(*papers)[i], op.Cites[i] = b, chain.Cite(b)
}

var carryBreaches = []breach{
	{"of the author's person", "V4", chain.ReasonSelf, carrying(func(d *divided, op *chain.Carry, _ *[][]byte) {
		op.Person, op.Instance = d.person("ann").id, d.in("A", "ann")
	})},
	{"of the author's device", "V4", chain.ReasonSelf, carrying(func(d *divided, op *chain.Carry, _ *[][]byte) { op.Device = d.person("ann").device(0) })},
	{"of a stranger", "V5", chain.ReasonNotMember, carrying(func(d *divided, op *chain.Carry, _ *[][]byte) { op.Person = d.person("eve").id })},
	{"with another's cut", "V5", chain.ReasonCut, func(g *group) error {
		d := withDevice(g.t)
		_, err := d.carry("B", "ben", []string{"L"}, func(op *chain.Carry, papers *[][]byte) {
			d.ofDevice(op, papers)
			op.Cuts = []chain.Cut{{Device: d.person("ben").device(0)}}
		})
		return err
	}},
	{"with another's cut beside its own", "V5", chain.ReasonCut, func(g *group) error {
		d := withDevice(g.t)
		_, err := d.carry("B", "ben", []string{"L"}, func(op *chain.Carry, papers *[][]byte) {
			d.ofDevice(op, papers)
			op.Cuts = []chain.Cut{{Device: op.Device}, {Device: d.person("ben").device(0)}}
		})
		return err
	}},
	{"of a person, with two cites", "V6", chain.ReasonAttachment, carrying(func(_ *divided, op *chain.Carry, papers *[][]byte) {
		op.Cites, *papers = append(op.Cites, chain.Cite(nil)), append(*papers, nil)
	})},
	{"of a device, with one cite", "V6", chain.ReasonAttachment, carrying(func(d *divided, op *chain.Carry, _ *[][]byte) { op.Device = d.person("cat").device(0) })},
	{"of garbage", "V6", chain.ReasonCarry, carrying(func(_ *divided, op *chain.Carry, papers *[][]byte) { cite(op, papers, 0, []byte("?")) })},
	{"of another block than it says", "V6", chain.ReasonCarry, carrying(func(_ *divided, op *chain.Carry, _ *[][]byte) { op.Block[0]++ })},
	{"of somebody else", "V6", chain.ReasonCarry, carrying(func(d *divided, op *chain.Carry, _ *[][]byte) {
		op.Person, op.Instance = d.person("dan").id, d.in("A", "dan")
	})},
	{"of a device where a person was removed", "V6", chain.ReasonCarry, carrying(func(d *divided, op *chain.Carry, papers *[][]byte) {
		op.Device = d.person("cat").device(0)
		op.Cites, *papers = append(op.Cites, chain.Cite(nil)), append(*papers, nil)
	})},
	{"of a forged block", "V6", chain.ReasonCarry, carrying(func(d *divided, op *chain.Carry, papers *[][]byte) {
		h := *d.blocks.Header(d.at["L"])
		h.Signature[0]++
		op.Block = h.Hash()
		cite(op, papers, 0, chain.MarshalProof([]*chain.Header{&h}))
	})},
	{"of a block of another group", "V6", chain.ReasonCarry, carrying(func(d *divided, op *chain.Carry, papers *[][]byte) {
		h := *d.blocks.Header(d.at["L"])
		h.Group[0]++
		seal(&h, d.blocks.Body(d.at["L"]), d.person("ben").keys[0])
		op.Block = h.Hash()
		cite(op, papers, 0, chain.MarshalProof([]*chain.Header{&h}))
	})},
	{"of a genesis", "V6", chain.ReasonCarry, carrying(func(d *divided, op *chain.Carry, papers *[][]byte) {
		op.Block = d.at["G"]
		cite(op, papers, 0, d.branch("G"))
	})},
	// G -> A -> B | G -> L: B demotes ben, who removed cat in L
	{"of who is no admin now", "V6", chain.ReasonCarry, played(func(d *divided) (string, string, []string) {
		d.on("G", "A", "ann", nil, d.retitle())
		d.on("A", "B", "ann", nil, &chain.SetRole{Person: d.person("ben").id, Instance: d.in("A", "ben")})
		d.on("G", "L", "ben", nil, d.removal("G", "cat"))
		return "B", "cat", []string{"L"}
	})},
	// G -> A -> B -> C | G -> L: B demotes ben, who removed cat in L, C promotes him
	{"of who was no admin in between", "V6", chain.ReasonCarry, played(func(d *divided) (string, string, []string) {
		d.on("G", "A", "ann", nil, d.retitle())
		d.on("A", "B", "ann", nil, &chain.SetRole{Person: d.person("ben").id, Instance: d.in("A", "ben")})
		d.on("B", "C", "ann", nil, &chain.SetRole{Person: d.person("ben").id, Instance: d.in("B", "ben"), Role: chain.RoleAdmin})
		d.on("G", "L", "ben", nil, d.removal("G", "cat"))
		return "C", "cat", []string{"L"}
	})},
	// G -> A | G -> K -> L: K makes dan an admin, who removes cat
	{"of who was no admin at the fork", "V6", chain.ReasonCarry, played(func(d *divided) (string, string, []string) {
		promote := &chain.SetRole{Person: d.person("dan").id, Instance: d.in("G", "dan"), Role: chain.RoleAdmin}
		d.on("G", "A", "ann", nil, promote)
		d.on("G", "K", "ben", nil, promote)
		d.on("K", "L", "dan", nil, d.removal("K", "cat"))
		return "A", "cat", []string{"K", "L"}
	})},
	// G -> A | G -> K -> L: only L is shown
	{"without the blocks between", "V6", chain.ReasonCarry, played(func(d *divided) (string, string, []string) {
		d.on("G", "A", "ann", nil, d.retitle())
		d.on("G", "K", "ben", nil, d.retitle())
		d.on("K", "L", "ben", nil, d.removal("K", "cat"))
		return "A", "cat", []string{"L"}
	})},
	// G -> A | G -> K -> M -> L: M is left out
	{"with a gap", "V6", chain.ReasonCarry, played(func(d *divided) (string, string, []string) {
		d.on("G", "A", "ann", nil, d.retitle())
		d.on("G", "K", "ben", nil, d.retitle())
		d.on("K", "M", "ben", nil, d.retitle())
		d.on("M", "L", "ben", nil, d.removal("M", "cat"))
		return "A", "cat", []string{"K", "L"}
	})},
	// G -> A | G -> K | G -> M -> L: K says what M says, and is shown in its place
	{"with another of the same content between", "V6", chain.ReasonCarry, played(func(d *divided) (string, string, []string) {
		same := d.retitle()
		d.on("G", "A", "ann", nil, d.retitle())
		d.on("G", "K", "ann", nil, same)
		d.on("G", "M", "ben", nil, same)
		d.on("M", "L", "ben", nil, d.removal("M", "cat"))
		return "A", "cat", []string{"K", "L"}
	})},
	// G -> A -> B: A removes cat, B adds her again; nothing was lost
	{"of a block on its own chain", "V6", chain.ReasonCarry, played(func(d *divided) (string, string, []string) {
		d.on("G", "A", "ben", nil, d.removal("G", "cat"))
		d.on("A", "B", "ann", d.person("cat").papers(1), d.person("cat").add(chain.RoleMember, 1))
		return "B", "cat", []string{"A"}
	})},
	// G -> A -> B | G -> L: cat is removed and comes back on the winning branch
	{"of who has come back since", "V6", chain.ReasonCarry, played(func(d *divided) (string, string, []string) {
		d.on("G", "A", "ann", nil, d.removal("G", "cat"))
		d.on("A", "B", "ann", d.person("cat").papers(1), d.person("cat").add(chain.RoleMember, 1))
		d.on("G", "L", "ben", nil, d.removal("G", "cat"))
		return "B", "cat", []string{"L"}
	})},
	// G -> A -> B -> C -> D | G -> K -> L: both add eve, L removes her, C carries
	// that over, and ann adds her again on purpose.
	{"for the second time", "V6", chain.ReasonCarry, played(func(d *divided) (string, string, []string) {
		eve := d.person("eve")
		d.on("G", "A", "ann", nil, d.retitle())
		d.on("A", "B", "ann", eve.papers(1), eve.add(chain.RoleMember, 1))
		d.on("G", "K", "ben", eve.papers(1), eve.add(chain.RoleMember, 1))
		d.on("K", "L", "ben", nil, d.removal("K", "eve"))
		papers := [][]byte{d.branch("K", "L")}
		d.on("B", "C", "dan", papers, &chain.Carry{
			Block: d.at["L"], Person: eve.id, Instance: d.in("B", "eve"), Cites: []wire.Digest{chain.Cite(papers[0])},
		})
		d.on("C", "D", "ann", eve.papers(1), eve.add(chain.RoleMember, 1))
		return "D", "eve", []string{"K", "L"}
	})},
	{"of a device, with a proof of another", "V6", chain.ReasonCarry, func(g *group) error {
		d := withDevice(g.t)
		_, err := d.carry("B", "ben", []string{"L"}, func(op *chain.Carry, papers *[][]byte) {
			d.ofDevice(op, papers)
			cite(op, papers, 1, d.person("eve").proof())
		})
		return err
	}},
	// The losing block itself cites a proof that shows nothing: its body is not here.
	{"of a device that its chain still has", "V6", chain.ReasonProof, func(g *group) error {
		d := divide(g.t)
		ben := d.person("ben")
		ben.second(g.t)
		add, papers := d.addDevice(ben, 1, false)
		d.on("G", "A", "cat", papers, add)
		gone, _ := d.removeDevice(ben, 1)
		h, _ := d.draft(d.blocks.State(d.at["A"]), d.at["A"], ben, nil, gone)
		d.on("A", "B", "ann", nil, d.retitle())
		branch := chain.MarshalProof([]*chain.Header{h})
		_, err := d.carry("B", "ben", []string{"A"}, func(op *chain.Carry, papers *[][]byte) {
			d.ofDevice(op, papers)
			op.Block = h.Hash()
			cite(op, papers, 0, branch)
		})
		return err
	}},
}
