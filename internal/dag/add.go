package dag

import (
	"errors"

	"kith/internal/wire"
)

// A State is what the graph thinks of a header.
type State uint8

const (
	Ready  State = iota + 1 // all it names is checked, and its claims hold
	Known                   // it is checked already
	Parked                  // something it names is not here
	Below                   // it lies below the floor; it never enters the graph
)

// A Verdict is the answer of [Graph.Check].
type Verdict struct {
	State   State
	Missing []Ref // if Parked: what is not checked, prev first
}

// Check judges a header without taking it in. The error is a *RejectError if
// a claim is false; a claim about entries that are not here waits for them.
// What it refuses is remembered as by [Graph.Add]: the bytes alone make it
// false, whoever signed them. Neither signature nor membership is judged.
func (g *Graph) Check(h *Header) (Verdict, error) {
	if err := h.form(); err != nil {
		return Verdict{}, err
	}
	ref := h.Ref()
	v, err := g.check(h, ref)
	if err != nil {
		g.refuse(ref, err)
	}
	return v, err
}

// check is Check of a well-formed header named ref.
func (g *Graph) check(h *Header, ref Ref) (Verdict, error) {
	if reason, ok := g.judged.reasons[ref]; ok {
		return Verdict{}, reject(reason)
	}
	if n, ok := g.find(ref); ok {
		if n.bare {
			return Verdict{State: Below}, nil
		}
		return Verdict{State: Known}, nil
	}
	s, err := g.weigh(h)
	if err != nil {
		return Verdict{}, err
	}
	if err := claims(h, s); err != nil {
		return Verdict{}, err
	}
	if len(s.missing) > 0 {
		return Verdict{Parked, s.missing}, nil
	}
	return Verdict{State: Ready}, nil
}

// A sight is what of the entries that a header names is here.
type sight struct {
	missing []Ref
	bare    bool   // some are known by name only
	lamport uint64 // highest seen
	order   uint64 // highest seen, or the group's start
}

// weigh looks up what h names.
func (g *Graph) weigh(h *Header) (sight, error) {
	s := sight{order: g.start}
	var err error
	h.Names(func(r Ref) {
		n, ok := g.find(r)
		switch {
		case g.judged.has(r):
			err = reject(ReasonParent)
		case !ok:
			s.missing = append(s.missing, r)
		case n.bare:
			s.bare = true
		default:
			s.lamport = max(s.lamport, n.lamport)
			s.order = max(s.order, n.order)
			if g.Older != nil && g.Older(h.Block, g.blocks[n.block]) {
				err = reject(ReasonBlock)
			}
		}
	})
	if l := g.logs[h.Device]; err == nil && l != nil && l.misplaced(h.Seq, h.Prev.Short()) {
		err = reject(ReasonGap)
	}
	return s, err
}

// claims checks lamport and order. What is not seen can only be higher, so the
// lower bounds hold always, the upper ones once everything is seen.
func claims(h *Header, s sight) error {
	whole := len(s.missing) == 0 && !s.bare
	switch {
	case h.Lamport <= s.lamport, whole && h.Lamport > s.lamport+1:
		return reject(ReasonLamport)
	case h.Order <= s.order, whole && h.Order > limitOrder(s.order):
		return reject(ReasonOrder)
	}
	return nil
}

// A Withdrawal names a parked entry whose claims proved false.
type Withdrawal struct {
	Ref    Ref
	Reason Reason
}

// Withdrawn returns the entries withdrawn since the last call. Each may have
// been shown as "earlier messages are coming" and is evidence against its
// author, except with ReasonParent, where the author of what it names is.
func (g *Graph) Withdrawn() []Withdrawal {
	w := g.withdrawn
	g.withdrawn = nil
	return w
}

// Add takes in a header whose signature and membership the caller has checked.
// It returns every entry that became checked by it, in causal order: none if h
// is known, below the floor, or must wait. A *RejectError refuses a false
// claim; ErrFull says that h must wait and there is no room; it may be given
// again later.
func (g *Graph) Add(h *Header) (added []Ref, err error) {
	if err := h.form(); err != nil {
		return nil, err
	}
	whole := h.Hash()
	ref := Ref{h.Device, h.Seq, whole.Short()}
	v, err := g.check(h, ref)
	if err != nil {
		g.refuse(ref, err)
		return nil, err
	}
	switch v.State {
	case Parked:
		return nil, g.park.add(h, ref, v.Missing)
	case Ready:
		return g.admit(h, ref, whole), nil
	}
	return nil, nil
}

// admit puts a ready entry in, and whatever waited for nothing else.
func (g *Graph) admit(h *Header, ref Ref, whole wire.EntryHash) []Ref {
	g.insert(h, ref, whole)
	added := []Ref{ref}
	for i := 0; i < len(added); i++ {
		for _, p := range g.park.arrived(added[i]) {
			v, err := g.check(p, p.Ref())
			if err != nil {
				g.withdraw(p.Ref(), err)
			} else if v.State == Ready {
				g.insert(p, p.Ref(), p.Hash())
				added = append(added, p.Ref())
			}
		}
	}
	return added
}

func (g *Graph) insert(h *Header, ref Ref, whole wire.EntryHash) {
	l := g.logs[h.Device]
	if l == nil {
		l = &log{device: h.Device}
		g.logs[h.Device] = l
		g.line.enter(l)
	}
	var names [MaxParents + 1]uint32
	known := names[:0]
	h.Names(func(r Ref) {
		if n, ok := g.numberOf(r); ok {
			known = append(known, n)
		}
	})
	number := g.line.number(l, known)
	n := node{lamport: h.Lamport, order: h.Order, hash: ref.Hash, block: g.block(h.Block), loose: g.isLoose(h)}
	plain := l.forks == nil
	if l.insert(h.Seq, n, whole) {
		g.line.keepFork(ref, number)
	} else {
		l.numbers = append(l.numbers, number)
	}
	if plain && l.forks != nil {
		g.forked = append(g.forked, l)
	}
	replace(g.heads, h, ref)
	if g.firm != nil && !n.loose {
		replace(g.firm, h, ref)
	}
	g.count++
	g.digest = nil
}

// replace puts ref into the heads in place of what its header h names.
func replace(heads map[Ref]struct{}, h *Header, ref Ref) {
	h.Names(func(r Ref) { delete(heads, r) })
	heads[ref] = struct{}{}
}

// isLoose reports whether h names something bare or loose.
func (g *Graph) isLoose(h *Header) (loose bool) {
	h.Names(func(r Ref) {
		n, _ := g.find(r)
		loose = loose || n.bare || n.loose
	})
	return loose
}

// withdraw drops a parked entry whose claims are false.
func (g *Graph) withdraw(ref Ref, cause error) {
	var e *RejectError
	if errors.As(cause, &e) {
		g.withdrawn = append(g.withdrawn, Withdrawal{ref, e.Reason})
	}
	g.refuse(ref, cause)
}

// refuse remembers that ref is false and withdraws what waits for it.
func (g *Graph) refuse(ref Ref, cause error) {
	var e *RejectError
	if !errors.As(cause, &e) {
		return
	}
	g.judged.add(ref, e.Reason)
	queue := []Ref{ref}
	for i := 0; i < len(queue); i++ {
		for _, child := range g.park.discard(queue[i]) {
			g.withdrawn = append(g.withdrawn, Withdrawal{child, ReasonParent})
			g.judged.add(child, ReasonParent)
			queue = append(queue, child)
		}
	}
}
