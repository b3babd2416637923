package chain_test

import (
	"errors"
	"runtime"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/wire"
)

// Scenarios that validity and evidence decide.

// TestScenario21PoisonedCommit: a commit that some or all cannot follow, by an
// ordinary member or by the senior admin. Nobody who cannot follow votes for it; an
// admin's sibling that removes its author outweighs it; Nacks of more than half let
// anybody start the keys again; one whom the block locks out alone comes back by
// itself.
func TestScenario21PoisonedCommit(t *testing.T) {
	numbered(t, "21")
	for _, author := range []string{"cat", "ann"} { // a member, the senior admin
		t.Run(author, func(t *testing.T) {
			people := "ann ben* cat dan"
			wins(t, people, "G -> P | G -> S", map[string]string{"P": author + " rekeys", "S": "ben removes " + author}, "S")

			g := newGroup(t, chain.Policy{}, "ann", "ben*", "cat", "dan")
			poisoned := g.commit(author, nil, &chain.Rekey{}).Hash()
			var nacks []*chain.Nack
			for _, name := range []string{"ann", "ben", "cat", "dan"} {
				if name != author {
					nacks = append(nacks, g.nack(g.person(name), 0, poisoned))
				}
			}
			_, _, err := g.restarting("dan", anew(chain.SuiteAES), together(nacks[2]))
			if rule, reason := refused(err); rule != "V6" || reason != chain.ReasonNack {
				t.Errorf("a Restart by one who cannot follow: %v", err)
			}
			if _, _, err := g.try(g.person("dan"), 0, nil, unparking(g, "dan", 0)); err != nil {
				t.Errorf("dan does not come back by himself: %v", err)
			}
			h, body, err := g.restarting("dan", anew(chain.SuiteAES), together(nacks...))
			must(t, err)
			g.take(h, body)
			if s := g.state(); s.Start() != 2 || len(s.Members()) != 4 {
				t.Errorf("keys start at %d with %d people", s.Start(), len(s.Members()))
			}
		})
	}

	// P is poisoned for ben, cat and dan: they Nack instead of voting, and settle S.
	p := elected(t, "ann ben* cat dan", "ann ben cat dan")
	p.grow("E -> P", map[string]string{"P": "ann retitles"})
	s := p.side("P")
	s.vote("ann")
	s.stands("E", "P")
	for _, name := range []string{"ben", "cat", "dan"} {
		d := &chain.Voter{Device: p.person(name).device(0), Follows: func(b wire.BlockHash) bool { return b != p.blocks["P"].Hash }}
		d.Decide(s.votes, 0)
		if got := d.Decide(s.votes, 2*chain.MaxDwell); got.Nack != p.blocks["P"].Hash || got.Vote != nil {
			t.Errorf("%s, who cannot follow: %+v", name, got)
		}
	}
	p.grow("E -> S", map[string]string{"S": "ben removes ann"})
	s.learn("S")
	s.vote("ben", "cat", "dan")
	s.stands("S", "S")
}

// TestScenario23Replay: what was signed for one membership, one group or one block
// counts for no other.
func TestScenario23Replay(t *testing.T) {
	g := newGroup(t, chain.Policy{}, "ann", "ben*", "cat")
	cat := g.person("cat")
	left := signLeave(g, cat, wire.PersonID{}).Marshal()
	old := g.instance("cat")
	removed := &chain.Remove{Person: cat.id, Instance: old}
	first := g.commit("ann", nil, removed)
	g.commit("ann", cat.papers(1), cat.add(chain.RoleMember, 1))
	if g.instance("cat") == old {
		t.Fatal("a membership again has the number of the one before")
	}
	_, _, err := g.try(g.person("ben"), 0, nil, removed)
	if rule, reason := refused(err); rule != "V5" || reason != chain.ReasonNotMember {
		t.Errorf("the removal again: %v", err)
	}
	for what, in := range map[string]wire.Instance{"of then": old, "put into now": g.instance("cat")} {
		leave := &chain.Leave{Person: cat.id, Instance: in, Cites: []wire.Digest{chain.Cite(left)}}
		if _, _, err := g.try(g.person("ben"), 0, [][]byte{left}, leave); err == nil {
			t.Errorf("a Leave %s", what)
		}
	}
	// The block itself: the same once more, on another parent, in another group.
	n, head := g.blocks.Len(), g.blocks.Head()
	g.take(first, g.blocks.Body(first.Hash()))
	if g.blocks.Len() != n || g.blocks.Head() != head {
		t.Error("a block again changes something")
	}
	moved := *first
	moved.Parent, moved.Height = head, g.state().Height()+1
	if _, err := g.blocks.Check(&moved, bodyOf(false)); err == nil {
		t.Error("a block under another parent")
	}
	other := newGroup(t, chain.Policy{MembersInvite: true}, "ann", "ben*", "cat")
	if _, err := other.blocks.Check(first, bodyOf(false)); err == nil {
		t.Error("a block of another group")
	}
	vote, err := chain.ParseVote(g.vote(g.person("ann"), 1, 1, 0))
	must(t, err)
	var lie *chain.VoteError
	if _, err := chain.NewVotes(other.blocks).Add(vote); !errors.As(err, &lie) || lie.Reason != chain.ReasonGroup {
		t.Errorf("a vote of another group: %v", err)
	}
	nack := g.nack(cat, 0, head)
	if _, _, err := other.restarting("cat", anew(chain.SuiteAES), together(nack, g.nack(g.person("ben"), 0, head))); err == nil {
		t.Error("Nacks of another group")
	}
}

// TestScenario24Floods: length bombs at every place of every object, orphans, and
// more votes than anybody needs. None costs more than it brings.
func TestScenario24Floods(t *testing.T) {
	b := story(t)
	b.settle("ann")
	b.settle("ben")
	head := b.blocks.Header(b.blocks.Head())
	votes := b.votes.All()
	nack := b.nack(b.person("ben"), 0, head.Hash())
	bombs := [][]byte{{0xbf, 0xff, 0xff, 0xff}, {0x7f, 0xff}, {0x3f}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
	for name, c := range map[string]struct {
		valid []byte
		parse func([]byte) error
	}{
		"header":     {head.Bytes(), func(b []byte) error { _, err := chain.ParseHeader(b); return err }},
		"body":       {bodyOf(true, []byte("paper")).Bytes(), func(b []byte) error { _, err := chain.ParseBody(b); return err }},
		"proof":      {b.person("ann").proof(), func(b []byte) error { _, err := chain.ParseProof(b); return err }},
		"vote":       {votes[0].Marshal(), func(b []byte) error { _, err := chain.ParseVote(b); return err }},
		"settlement": {b.votes.Settlement().Marshal(), func(b []byte) error { _, err := chain.ParseSettlement(b); return err }},
		"nacks":      {together(nack), func(b []byte) error { _, err := chain.ParseNacks(b); return err }},
		"offer":      {b.blocks.Offer().Marshal(), func(b []byte) error { _, err := chain.ParseOffer(b); return err }},
		"record":     {chain.NewRecord(b.blocks).Marshal(), func(b []byte) error { _, err := chain.ParseRecord(b); return err }},
	} {
		must(t, c.parse(c.valid))
		for at := range c.valid {
			for _, bomb := range bombs {
				in := slices.Concat(c.valid[:at], bomb, c.valid[at:])
				if got := allocated(func() { _ = c.parse(in) }); got > 64<<10+64*uint64(len(in)) {
					t.Fatalf("%s: %d bytes with a length at %d cost %d", name, len(in), at, got)
				}
			}
		}
	}

	g := newGroup(t, chain.Policy{}, "ann", "ben*")
	h := g.block(g.person("ben"), g.blocks.Head(), 1, &chain.Rekey{})
	for i := range uint64(10_000) {
		orphan := *h
		orphan.Parent, orphan.Height = number(i), 2+i
		if _, err := g.blocks.Check(&orphan, bodyOf(false)); !errors.As(err, new(*chain.MissingError)) {
			t.Fatal(err)
		}
	}
	if g.blocks.Len() != 1 {
		t.Errorf("%d blocks are kept", g.blocks.Len())
	}
}

// allocated returns how many bytes a call asked for.
func allocated(call func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestScenario26CopiedHome: one device key on two machines. Whatever both sign at
// once shows it to everybody; it costs the device its place, not the person, who
// comes in with a new key and is what it was.
func TestScenario26CopiedHome(t *testing.T) {
	g := ruleGroup(t)
	ben := g.person("ben")
	one := g.block(ben, g.blocks.Head(), 1, &chain.Rekey{})
	two := g.block(ben, g.blocks.Head(), 2, &chain.SetInfo{Info: wire.Digest{7}})
	g.take(one, bodyOf(false))
	g.take(two, bodyOf(false))
	ben.seq[0] = 2
	var all []*chain.Block
	for _, hash := range g.blocks.All() {
		all = append(all, &chain.Block{Hash: hash, Header: g.blocks.Header(hash), State: g.blocks.State(hash)})
	}
	pairs := chain.Doubles(all)
	if len(pairs) != 1 {
		t.Fatalf("%d pairs show the copy", len(pairs))
	}
	op, papers := g.twice(chain.SlashBlocks, g.blocks.Header(pairs[0][0]).Bytes(), g.blocks.Header(pairs[0][1]).Bytes())
	g.commit("cat", papers, op)
	if s := g.state(); s.Belongs(ben.device(0)) || !s.IsAdmin(ben.id) {
		t.Fatal("not the device alone is gone")
	}
	_, _, err := g.try(ben, 0, nil, unparking(g, "ben", 0))
	if rule, reason := refused(err); rule != "V3" || reason != chain.ReasonAuthor {
		t.Errorf("the copied key comes back: %v", err)
	}
	ben.second(t)
	add, papers := g.addDevice(ben, 1, true)
	g.commitAs(ben, 1, papers, add)
	g.commitAs(ben, 1, nil, &chain.SetInfo{Info: wire.Digest{8}})

	// A backup that is put back casts no vote, however long it waits.
	b := newBallotBox(g)
	d := &chain.Voter{Device: g.person("ann").device(0), Restored: true}
	for now := uint64(0); now < 1<<40; now = 2*now + 1 {
		if got := d.Decide(b.votes, now); got != (chain.Decision{}) {
			t.Fatalf("a restored device: %+v", got)
		}
	}
}
