package chain_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// nack signs that the person's device i could not follow block.
func (g *group) nack(p *person, i int, block wire.BlockHash) *chain.Nack {
	sign := func(l wire.Label, b []byte) []byte { return wire.Sign(p.keys[i], l, b) }
	return chain.SignNack(sign, wire.GroupID(g.blocks.Genesis()), p.device(i), block, chain.NackPath)
}

func together(nacks ...*chain.Nack) []byte {
	slices.SortFunc(nacks, func(a, b *chain.Nack) int { return bytes.Compare(a.Device[:], b.Device[:]) })
	return chain.MarshalNacks(nacks)
}

// restarting tries a Restart by name on the head, which cites what nacks says;
// nil: it cites nothing.
func (g *group) restarting(name string, op *chain.Restart, nacks []byte, before ...chain.Op) (*chain.Header, *chain.Body, error) {
	p := g.person(name)
	var papers [][]byte
	if nacks != nil {
		papers, op.Cites = [][]byte{nacks}, []wire.Digest{chain.Cite(nacks)}
	}
	d := g.params(p, append(before, op)...)
	d.Suite = op.Suite
	h, _, err := chain.Draft(g.state(), d)
	if err != nil {
		return nil, nil, err
	}
	body := bodyOf(true, papers...)
	seal(h, body, p.keys[0])
	_, err = g.blocks.Check(h, body)
	return h, body, err
}

func TestRestartByAnAdmin(t *testing.T) {
	g := ruleGroup(t)
	g.commit("ben", nil, &chain.Rekey{})
	cat := g.person("cat")
	h, body, err := g.restarting("ann", anew(chain.SuiteXWing, cat.device(0)), nil, remove("ben")(g))
	if err != nil {
		t.Fatal(err)
	}
	if h.Class != chain.ClassRemoval || !h.Starts() {
		t.Errorf("class %d", h.Class)
	}
	g.take(h, body)
	s := g.state()
	if s.Suite() != chain.SuiteXWing || s.Start() != 2 || s.Epoch() != 1 || g.status(cat, 0) != chain.StatusParked || s.Active(g.person("ben").device(0)) {
		t.Error("state after the Restart")
	}
	if g.blocks.Ancestor(h.Hash(), s.Start()) != h.Hash() || g.blocks.Ancestor(h.Hash(), 0) != g.blocks.Genesis() || g.blocks.Ancestor(h.Hash(), 9) != (wire.BlockHash{}) {
		t.Error("ancestors")
	}
	d := g.params(cat, unparking(g, "cat", 0))
	d.Suite = chain.SuiteXWing
	next, _, err := chain.Draft(s, d)
	if err != nil {
		t.Fatal(err)
	}
	body = bodyOf(false)
	seal(next, body, cat.keys[0])
	g.take(next, body)
	if s := g.state(); s.Epoch() != 2 || !s.Active(cat.device(0)) {
		t.Error("cat did not come back")
	}
}

// ben poisoned a block for ann and cat; cat, a member, starts the keys again.
func TestRestartByNacks(t *testing.T) {
	g := ruleGroup(t)
	poisoned := g.commit("ben", nil, &chain.Rekey{}).Hash()
	h, body, err := g.restarting("cat", anew(chain.SuiteAES), together(g.nack(g.person("ann"), 0, poisoned), g.nack(g.person("cat"), 0, poisoned)))
	if err != nil {
		t.Fatal(err)
	}
	g.take(h, body)
	if h.Class != chain.ClassOrdinary || g.state().Start() != 2 {
		t.Errorf("class %d, start %d", h.Class, g.state().Start())
	}
}

// byNacks tries a Restart of cat's that cites what make returns, after ben's
// block at height 1, which others could not follow.
func byNacks(make func(g *group, poisoned wire.BlockHash) []byte) func(*group) error {
	return func(g *group) error {
		d := ruleGroup(g.t)
		poisoned := d.commit("ben", nil, &chain.Rekey{}).Hash()
		_, _, err := d.restarting("cat", anew(chain.SuiteAES), make(d, poisoned))
		return err
	}
}

// starting tries a Restart of ann's.
func starting(op func(*group) *chain.Restart, before ...func(*group) chain.Op) func(*group) error {
	return func(g *group) error {
		var list []chain.Op
		for _, make := range before {
			list = append(list, make(g))
		}
		_, _, err := g.restarting("ann", op(g), nil, list...)
		return err
	}
}

var restartBreaches = []breach{
	{"before another op", "V5", chain.ReasonRestart, ops("ann", func(*group) []chain.Op { return []chain.Op{anew(chain.SuiteAES), &chain.Rekey{}} })},
	{"twice", "V5", chain.ReasonRestart, starting(func(*group) *chain.Restart { return anew(chain.SuiteAES) }, func(*group) chain.Op { return anew(chain.SuiteAES) })},
	{"for another suite than the header's", "V2", chain.ReasonSuite, ops("ann", one(func(*group) chain.Op { return anew(chain.SuiteXWing) }))},
	{"that parks its author", "V5", chain.ReasonRestart, starting(func(g *group) *chain.Restart { return anew(chain.SuiteAES, g.person("ann").device(0)) })},
	{"that parks a stranger", "V5", chain.ReasonRestart, starting(func(g *group) *chain.Restart { return anew(chain.SuiteAES, g.person("dan").device(0)) })},
	{"that parks who is removed", "V5", chain.ReasonRestart, starting(func(g *group) *chain.Restart { return anew(chain.SuiteAES, g.person("cat").device(0)) }, remove("cat"))},
	{"that parks one twice", "V5", chain.ReasonRestart, starting(func(g *group) *chain.Restart {
		return anew(chain.SuiteAES, g.person("cat").device(0), g.person("cat").device(0))
	})},
	{"that parks out of order", "V5", chain.ReasonRestart, starting(func(g *group) *chain.Restart {
		op := anew(chain.SuiteAES, g.person("cat").device(0), g.person("ben").device(0))
		slices.Reverse(op.Parked)
		return op
	})},
	{"two cites", "V6", chain.ReasonAttachment, starting(func(*group) *chain.Restart {
		return &chain.Restart{Suite: chain.SuiteAES, Cites: make([]wire.Digest, 2)}
	})},
	{"by a member", "V4", chain.ReasonRole, func(g *group) error {
		_, _, err := g.restarting("cat", anew(chain.SuiteAES), nil)
		return err
	}},
	{"by a member, for another suite", "V4", chain.ReasonRole, func(g *group) error {
		head := g.blocks.Head()
		_, _, err := g.restarting("cat", anew(chain.SuiteXWing), together(g.nack(g.person("ann"), 0, head), g.nack(g.person("cat"), 0, head)))
		return err
	}},
	{"without its epoch 0", "V6", chain.ReasonEpoch0, func(g *group) error {
		h, body, err := g.restarting("ann", anew(chain.SuiteAES), nil)
		if err != nil {
			return err
		}
		body.Epoch0 = nil
		seal(h, body, g.person("ann").keys[0])
		_, err = g.blocks.Check(h, body)
		return err
	}},
	{"Nacks of a third", "V6", chain.ReasonNack, byNacks(func(g *group, b wire.BlockHash) []byte { return together(g.nack(g.person("ann"), 0, b)) })},
	{"Nacks of one person with most devices", "V6", chain.ReasonNack, func(g *group) error {
		d := ruleGroup(g.t)
		cat := d.person("cat")
		cat.second(d.t)
		cat.extendWith(d.t, [][]byte{cat.knock[2]}, cat.addOwn(2))
		var nacks []*chain.Nack
		for i := 1; i <= 2; i++ {
			op, papers := d.addDevice(cat, i, false)
			d.commit("cat", papers, op)
		}
		poisoned := d.commit("ben", nil, &chain.Rekey{}).Hash()
		for i := range 3 {
			nacks = append(nacks, d.nack(cat, i, poisoned))
		}
		_, _, err := d.restarting("cat", anew(chain.SuiteAES), together(nacks...))
		return err
	}},
	{"a Nack of who wrote the block", "V6", chain.ReasonNack, byNacks(func(g *group, b wire.BlockHash) []byte {
		return together(g.nack(g.person("ann"), 0, b), g.nack(g.person("ben"), 0, b))
	})},
	{"a Nack of another block", "V6", chain.ReasonNack, byNacks(func(g *group, b wire.BlockHash) []byte {
		return together(g.nack(g.person("ann"), 0, b), g.nack(g.person("cat"), 0, wire.BlockHash{1}))
	})},
	{"a Nack of a stranger", "V6", chain.ReasonNack, byNacks(func(g *group, b wire.BlockHash) []byte {
		return together(g.nack(g.person("ann"), 0, b), g.nack(g.person("dan"), 0, b))
	})},
	{"a Nack in another group", "V6", chain.ReasonNack, byNacks(func(g *group, b wire.BlockHash) []byte {
		sign := func(l wire.Label, b []byte) []byte { return wire.Sign(g.person("cat").keys[0], l, b) }
		return together(g.nack(g.person("ann"), 0, b), chain.SignNack(sign, wire.GroupID{1}, g.person("cat").device(0), b, chain.NackTag))
	})},
	{"a Nack with a false signature", "V6", chain.ReasonNack, byNacks(func(g *group, b wire.BlockHash) []byte {
		forged := g.nack(g.person("cat"), 0, b)
		forged.Signature[0]++
		return together(g.nack(g.person("ann"), 0, b), forged)
	})},
	{"a Nack of a parked device", "V6", chain.ReasonNack, func(g *group) error {
		d := newGroup(g.t, chain.Policy{}, "ann", "ben", "cat")
		poisoned := d.commit("ann", nil, parking(d, "ben", 0)).Hash()
		_, _, err := d.restarting("cat", anew(chain.SuiteAES), together(d.nack(d.person("ben"), 0, poisoned), d.nack(d.person("cat"), 0, poisoned)))
		return err
	}},
	{"a Nack of who signed since", "V6", chain.ReasonNack, func(g *group) error {
		d := ruleGroup(g.t)
		poisoned := d.commit("ben", nil, &chain.Rekey{}).Hash()
		d.commit("ann", nil, &chain.Rekey{})
		_, _, err := d.restarting("cat", anew(chain.SuiteAES), together(d.nack(d.person("ann"), 0, poisoned), d.nack(d.person("cat"), 0, poisoned)))
		return err
	}},
	{"a Nack from before the last Restart", "V6", chain.ReasonNack, func(g *group) error {
		d := ruleGroup(g.t)
		poisoned := d.commit("ben", nil, &chain.Rekey{}).Hash()
		h, body, err := d.restarting("ben", anew(chain.SuiteAES), nil)
		if err != nil {
			return err
		}
		d.take(h, body)
		_, _, err = d.restarting("cat", anew(chain.SuiteAES), together(d.nack(d.person("ann"), 0, poisoned), d.nack(d.person("cat"), 0, poisoned)))
		return err
	}},
	{"the same Nack twice", "V6", chain.ReasonNack, byNacks(func(g *group, b wire.BlockHash) []byte {
		return slices.Repeat(together(g.nack(g.person("ann"), 0, b)), 2)
	})},
}

func TestNackBytes(t *testing.T) {
	n := &chain.Nack{Group: fill32(1), Device: fill32(2), Block: fill32(3), Reason: chain.NackExternalPub, Signature: [64]byte(x(4, 64))}
	want := slices.Concat([]byte{1, 1}, x(1, 32), x(2, 32), x(3, 32), []byte{3}, x(4, 64))
	if got := n.Marshal(); !bytes.Equal(got, want) {
		t.Errorf("encoded %x", got)
	}
	if back, err := chain.ParseNack(want); err != nil || *back != *n {
		t.Errorf("decoded %+v, %v", back, err)
	}
	p := newPerson(t, "ann")
	signed := chain.SignNack(func(l wire.Label, b []byte) []byte { return wire.Sign(p.keys[0], l, b) }, fill32(1), p.device(0), fill32(3), chain.NackTag)
	if !signed.Verify(p.public(0)) || !wire.Verify(p.public(0), "nack", signed.Marshal()[:99], signed.Signature[:]) {
		t.Error("signature does not hold")
	}
	signed.Block[0]++
	if signed.Verify(p.public(0)) {
		t.Error("signature holds over another block")
	}
	newer := slices.Clone(want)
	newer[0] = 2
	for name, c := range map[string]struct {
		b   []byte
		err error
	}{
		"version":      {newer, chain.ErrNewer},
		"short":        {want[:162], wire.ErrShort},
		"twice":        {slices.Concat(want, want), wire.ErrCanonical},
		"nothing":      {nil, wire.ErrShort},
		"one and half": {slices.Concat(want, want[:80]), wire.ErrShort},
	} {
		if _, err := chain.ParseNacks(c.b); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzNacks(f *testing.F) {
	f.Add(chain.MarshalNacks([]*chain.Nack{{Device: fill32(1)}, {Device: fill32(2)}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if nacks, err := chain.ParseNacks(b); err == nil {
			roundTrip(t, b, chain.MarshalNacks(nacks))
		}
	})
}
