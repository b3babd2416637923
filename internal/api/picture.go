package api

import (
	"fmt"
	"strings"

	"kith/internal/chain"
	"kith/internal/node"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
)

// A gallery makes what people read of the blocks of one group: sentences about
// one block name others.
type gallery map[wire.BlockHash]node.Block

func newGallery(list []node.Block) gallery {
	g := make(gallery, len(list))
	for _, b := range list {
		g[b.Hash] = b
	}
	return g
}

// blocksOf makes the answer of ListBlocks.
func blocksOf(list []node.Block) []*v1.Block {
	g := newGallery(list)
	var out []*v1.Block
	for _, b := range list {
		out = append(out, g.hang(blockOf(b), b))
	}
	nameSuccessors(out, list)
	return out
}

// hang fills in how a block is drawn.
func (g gallery) hang(out *v1.Block, b node.Block) *v1.Block {
	d := b.Drawn
	out.AuthorRank, out.Lane, out.Fate = uint32(d.Rank), uint32(d.Lane), v1.BlockFate(d.Fate)
	for i, again := range d.Again {
		if again != (wire.BlockHash{}) {
			out.Changes[i].Again, out.Changes[i].AgainHeight = again.String(), g[again].Header.Height
		}
	}
	if d.Loss != nil {
		out.Loss, out.Why, out.Won = lossKinds[d.Loss.Why], g.why(b), d.Loss.Won.String()
		if d.Loss.By != (wire.BlockHash{}) {
			out.DecidedBy = d.Loss.By.String()
		}
	}
	for _, twin := range d.Twins {
		out.Contradicts = append(out.Contradicts, twin.String())
	}
	if len(d.Twins) > 0 {
		out.Contradiction = contradiction(b)
	}
	if s := d.Split; s != nil {
		out.Split = &v1.Split{From: s.From, To: s.To, Undone: uint32(s.Undone), Again: uint32(s.Again)}
	}
	out.Settled, out.SettleRound = d.Settled, d.Round
	out.SettledBy, out.VotedBy, out.WaitsFor, out.Stuck = peopleOf(b.SettledBy), peopleOf(b.VotedBy), peopleOf(b.WaitsFor), peopleOf(b.Stuck)
	return out
}

var lossKinds = map[chain.Why]v1.LossKind{
	chain.WhySettled: v1.LossKind_LOSS_KIND_SETTLED,
	chain.WhyStruck:  v1.LossKind_LOSS_KIND_STRUCK,
	chain.WhyWeight:  v1.LossKind_LOSS_KIND_WEIGHT,
	chain.WhyRevoked: v1.LossKind_LOSS_KIND_REVOKED,
	chain.WhySenior:  v1.LossKind_LOSS_KIND_SENIOR,
	chain.WhyDevice:  v1.LossKind_LOSS_KIND_DEVICE,
	chain.WhyTwice:   v1.LossKind_LOSS_KIND_TWICE,
	chain.WhyCarried: v1.LossKind_LOSS_KIND_CARRIED,
}

// contradiction names the device that signed what no honest one does.
func contradiction(b node.Block) string {
	others := make([]string, len(b.Drawn.Twins))
	for i, twin := range b.Drawn.Twins {
		others[i] = twin.String()[:8]
	}
	return fmt.Sprintf("One device of %s (%s) signed different blocks in the same place: %s and %s. No honest program does that; either it was altered, or its key was copied. The blocks themselves are the proof.",
		nameOf(b.Author), b.Header.Author.Device.String()[:8], b.Hash.String()[:8], strings.Join(others, ", "))
}

// why says why a block lost.
func (g gallery) why(b node.Block) string {
	l := b.Drawn.Loss
	if l.Lost != b.Hash {
		return "It was built on a change that was undone."
	}
	won := g[l.Won]
	switch l.Why {
	case chain.WhyStruck:
		return g.struck(b)
	case chain.WhyWeight:
		return g.outweighed(g[l.By])
	case chain.WhyRevoked:
		return fmt.Sprintf("The device of %s that signed it was removed, or let in by one that was.", nameOf(b.Author))
	case chain.WhyCarried:
		return fmt.Sprintf("The removal of %s was carried over on the other side.", nameOf(b.Author))
	case chain.WhySenior:
		return fmt.Sprintf("%s and %s changed the group at the same time. %s, so what %s did counts.",
			atStart(won.Author), nameOf(b.Author), senior(won, b), nameOf(won.Author))
	case chain.WhyDevice:
		return fmt.Sprintf("%s did two things at the same time on two devices. What the device that was added first did counts.", atStart(b.Author))
	case chain.WhyTwice:
		return fmt.Sprintf("One device of %s signed both at the same time. Their hashes decide which one counts.", nameOf(b.Author))
	}
	return "What was done at the same time is settled."
}

// struck is about somebody who was removed, or lost the admin role, elsewhere.
func (g gallery) struck(b node.Block) string {
	l := b.Drawn.Loss
	by, found := g[l.By]
	if !found {
		return fmt.Sprintf("At the same time %s was removed, or lost the admin role.", nameOf(b.Author))
	}
	what, change := clause(by, b.Author)
	if l.Mutual == (wire.BlockHash{}) {
		return fmt.Sprintf("%s at the same time, so what %s did on the other side is undone.", what, nameOf(b.Author))
	}
	answer, _ := clause(g[l.Mutual], by.Author)
	tail := "stays removed"
	switch _, removed := change.(*chain.Remove); {
	case removed && b.Author.Me:
		tail = "stay removed"
	case !removed && b.Author.Me:
		tail = "are no longer an admin"
	case !removed:
		tail = "is no longer an admin"
	}
	if start := atStart(b.Author); b.Author.Me || b.Author.Name == "" { // "You" and "Somebody" are no names
		answer = strings.ToLower(start) + strings.TrimPrefix(answer, start)
	}
	return fmt.Sprintf("%s and %s at the same time. %s been in charge longer, so %s %s.",
		what, answer, has(by.Author), nameOf(b.Author), tail)
}

// clause is "Ann removed Ben", and the op that did it.
func clause(b node.Block, target node.Person) (string, chain.Op) {
	for _, c := range b.Changes {
		if c.Subject.ID != target.ID {
			continue
		}
		switch c.Op.(type) {
		case *chain.Remove, *chain.SetRole:
			return strings.TrimSuffix(sentenceOf(b.Author, c), "."), c.Op
		}
	}
	return atStart(b.Author) + " decided against " + nameOf(target), nil
}

func has(p node.Person) string {
	if p.Me {
		return "You have"
	}
	return atStart(p) + " has"
}

// outweighed is about a block that goes before another by its class.
func (g gallery) outweighed(by node.Block) string {
	what := atStart(by.Author) + " decided something"
	for _, c := range by.Changes {
		if c.Op.Kind().Class() == by.Header.Class {
			what = strings.TrimSuffix(sentenceOf(by.Author, c), ".")
			break
		}
	}
	rule := "What an admin decides goes before what anybody may do."
	if by.Header.Class == chain.ClassRemoval {
		rule = "A removal goes before other changes."
	}
	return what + " at the same time. " + rule
}

// senior compares two authors at the block on which both built.
func senior(won, lost node.Block) string {
	switch {
	case won.Drawn.Rank > 0 && lost.Drawn.Rank > 0:
		return has(won.Author) + " been in charge longer"
	case won.Drawn.Rank > 0 && won.Author.Me:
		return fmt.Sprintf("You are an admin and %s is not", nameOf(lost.Author))
	case won.Drawn.Rank > 0 && lost.Author.Me:
		return fmt.Sprintf("%s is an admin and you are not", atStart(won.Author))
	case won.Drawn.Rank > 0:
		return fmt.Sprintf("%s is an admin and %s is not", atStart(won.Author), nameOf(lost.Author))
	}
	return has(won.Author) + " been in the group longer"
}

// rareSentence is about ops that people seldom cause themselves.
func rareSentence(who string, c node.Change) string {
	switch op := c.Op.(type) {
	case *chain.Carry:
		return fmt.Sprintf("%s did again what was undone: the removal of %s.", who, nameOf(c.Subject))
	case *chain.SetPolicy:
		if len(c.People) > 0 {
			return fmt.Sprintf("%s named who votes on what can no longer be undone: %s.", who, namesOf(c.People))
		}
		if historyChanged(c) {
			return who + letsRead(who) + historyText(*op.Policy) + "."
		}
		return who + " changed what the group allows."
	case *chain.Restart:
		return who + " began the keys of the group anew."
	case *chain.Slash:
		return fmt.Sprintf("%s took out a device of %s that signed what contradicts itself (%s).", who, whose(c.Subject), op.Device.String()[:8])
	}
	return who + " changed something that needs a newer version of Kith."
}
