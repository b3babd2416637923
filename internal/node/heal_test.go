package node_test

import (
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/wire"
)

func (p *person) join(g wire.GroupID) {
	p.t.Helper()
	p.until("invited", func() bool { c, err := p.Chat(g); return err == nil && c.State == group.StatusInvited })
	must(p.t, p.AcceptGroup(g, false))
}

func (p *person) chat(g wire.GroupID, is func(node.Chat) bool) func() bool {
	return func() bool { c, err := p.Chat(g); return err == nil && is(c) }
}

// TestSplitAndHealed: Ann and Ben each add somebody while the other is off. Ben's
// block loses; his node adds Dan again, who is not asked again; and Cleo, who wrote
// on Ben's side, is asked whether Eve, who came in on Ann's, gets that too.
func TestSplitAndHealed(t *testing.T) {
	ann, ben, cleo := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	dan, eve := start(t, "Dan", t.TempDir()), start(t, "Eve", t.TempDir())
	befriend(t, ann, ben)
	befriend(t, ann, cleo)
	befriend(t, ben, cleo)
	befriend(t, ben, dan)
	befriend(t, ann, eve)
	g, err := ann.CreateGroup("Trip", []wire.PersonID{ben.id(), cleo.id()})
	must(t, err)
	ben.join(g)
	cleo.join(g)
	ann.until("both are in", ann.chat(g, func(c node.Chat) bool { return c.Members[1].Accepted && c.Members[2].Accepted }))
	must(t, ann.SetRole(g, ben.id(), true))
	ben.until("an admin", ben.chat(g, func(c node.Chat) bool { return c.Admin }))
	cleo.until("Ben is an admin", cleo.chat(g, func(c node.Chat) bool {
		return slices.ContainsFunc(c.Members, func(m node.Member) bool { return m.Admin && m.Person.ID == ben.id() })
	}))

	ann.stop()
	must(t, ben.AddMembers(g, []wire.PersonID{dan.id()}))
	dan.join(g)
	cleo.until("Dan is in", cleo.chat(g, func(c node.Chat) bool { return len(c.Members) == 4 }))
	cleo.say(g, "split")
	dan.sees(g, "split")
	ben.sees(g, "split")
	for _, p := range []*person{ben, cleo, dan} {
		p.stop()
	}
	ann = ann.again()
	must(t, ann.AddMembers(g, []wire.PersonID{eve.id()}))
	eve.join(g)
	ann.until("Eve is in", ann.chat(g, func(c node.Chat) bool { return len(c.Members) == 4 && c.Members[3].Accepted }))

	ben, cleo, dan = ben.again(), cleo.again(), dan.again()
	for _, p := range []*person{ann, ben, cleo, dan, eve} {
		p.until("all five are in", p.chat(g, func(c node.Chat) bool {
			return c.State == group.StatusActive && len(c.Members) == 5 && !c.NoKeys
		}))
	}
	cleo.until("asked", cleo.chat(g, func(c node.Chat) bool {
		return c.Unasked == 1 && len(c.UnaskedOf) == 1 && c.UnaskedOf[0].ID == eve.id() && c.UnaskedOf[0].Name == "Eve"
	}))
	eve.sees(g)
	must(t, cleo.Resend(g, true))
	for _, p := range []*person{ann, ben, cleo, dan, eve} {
		p.sees(g, "split")
	}
	if refusal(cleo.Resend(g, true)) != group.ReasonNothing {
		t.Error("an answer is taken without a question")
	}
	msgs, _, err := ann.Messages(g, nil, 0)
	if err != nil || len(msgs) != 1 || !msgs[0].WhileSplit {
		t.Errorf("Ann has %+v: %v", msgs, err)
	}
}
