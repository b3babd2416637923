package chain

import "kith/internal/wire"

// Why is the rule by which a branch lost.
type Why uint8

// Rules.
const (
	WhySettled Why = 1 // the other branch is settled, or certified
	WhyStruck  Why = 2 // its author was removed, or lost the admin role, on another branch
	WhyWeight  Why = 3 // the other branch did what counts for more
	WhyRevoked Why = 4 // the device that signed it is revoked, or came in by one that is
	WhySenior  Why = 5 // the other branch's author is the more senior
	WhyDevice  Why = 6 // two devices of one person: the one admitted earlier counts
	WhyTwice   Why = 7 // one device signed both: the lower hash counts
	WhyCarried Why = 8 // its author's removal was carried over on another branch
)

// A Loss says for people why a branch lost. It decides nothing.
type Loss struct {
	Why    Why
	Fork   wire.BlockHash // after which the branches part
	Lost   wire.BlockHash // the first block of the branch that lost
	Won    wire.BlockHash // the first block of the one that won
	By     wire.BlockHash // WhyStruck, WhyWeight: the block that decided
	Mutual wire.BlockHash // WhyStruck: where the loser struck its senior who struck it; zero: nowhere
}

// Losses says why each of the siblings of next lost against it, by the hash of
// the sibling; next is on the chain. The contest between them is played out as
// for [Head].
func (b *Blocks) Losses(next wire.BlockHash) map[wire.BlockHash]Loss {
	n := b.by[next]
	if n == nil || n.parent == nil || len(n.parent.children) < 2 {
		return nil
	}
	fork := n.parent
	branches := make([]branch, len(fork.children))
	for i, c := range fork.children {
		branches[i] = branch{Block: &c.Block, facts: c.read()}
	}
	w := inquest{rules{}.contest(fork.State, branches), fork}
	won := w.winner()
	losses := make(map[wire.BlockHash]Loss)
	for i, c := range fork.children {
		l := Loss{Why: WhySettled, Fork: fork.Hash, Lost: c.Hash, Won: next}
		if fork.children[won] == n {
			w.explain(&l, i, won)
		}
		if c != n {
			losses[c.Hash] = l
		}
	}
	return losses
}

// An inquest looks for the block behind each step of a contest.
type inquest struct {
	*contest
	fork *node
}

// explain says why branch i lost against won.
func (w *inquest) explain(l *Loss, i, won int) {
	lost, best := &w.branches[i], &w.branches[won]
	x, y := lost.Header.Author, best.Header.Author
	switch {
	case lost.out:
		l.Why = WhyStruck
		w.struckBy(l, i)
	case lost.weight < best.weight:
		l.Why, l.By = WhyWeight, w.heavy(won)
	case lost.last != best.last && lost.void:
		l.Why = WhyRevoked
	case lost.last != best.last:
		l.Why = WhyCarried
	case x.Person != y.Person:
		l.Why = WhySenior
	case x.Device != y.Device:
		l.Why = WhyDevice
	default:
		l.Why = WhyTwice
	}
}

// struckBy finds the strike that dropped branch i, rather one that stands than
// one on another branch that lost, and what answers it from a junior.
func (w *inquest) struckBy(l *Loss, i int) {
	u, a := w.branches[i].Header.Author.Person, w.branches[i].by
	for j, c := range w.fork.children {
		if j == i || l.By != (wire.BlockHash{}) && w.branches[j].out {
			continue
		}
		if n := c.strike(a, u); n != nil {
			l.By = n.Hash
		}
	}
	if n := w.fork.children[i].strike(u, a); n != nil && w.at.senior(wire.Member{Person: a}, wire.Member{Person: u}) < 0 {
		l.Mutual = n.Hash
	}
}

// strike finds the first block of n's subtree in which a removes or demotes u.
func (n *node) strike(a, u wire.PersonID) *node {
	for _, m := range n.descent() {
		for _, w := range m.words() {
			if w.by.Person == a && w.strikes[u]&(byRemoval|byDemotion) != 0 {
				return m
			}
		}
	}
	return nil
}

// heavy finds the first block that gives branch i its weight.
func (w *inquest) heavy(i int) wire.BlockHash {
	for _, n := range w.fork.children[i].descent() {
		a := n.Header.Author
		counts := w.at.IsAdmin(a.Person) && !w.silent(a.Person, i) && !w.mute(a)
		if counts && n.Header.Class == w.branches[i].weight {
			return n.Hash
		}
	}
	return wire.BlockHash{}
}
