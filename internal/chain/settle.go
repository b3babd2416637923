package chain

import (
	"slices"

	"kith/internal/wire"
)

// Votes is the set of votes held for the chain of a group, and what follows
// from it: which blocks are settled for ever. It is a function of the sets of
// blocks and votes; the order in which they came plays no part, provided that
// what was refused as early is offered again. Not safe for use by several
// goroutines at once.
type Votes struct {
	blocks   *Blocks
	off      rule
	eras     map[*node]*era // by start; only of those once settled
	evidence map[wire.DeviceID]*Evidence

	pin     *node // settled, whatever is held; nil: nothing
	stale   bool
	path    []*era // from genesis to the current era, unless stale
	settled *node  // unless stale
}

// NewVotes returns the empty set for the blocks of a group.
func NewVotes(b *Blocks) *Votes {
	return &Votes{
		blocks: b, eras: make(map[*node]*era),
		evidence: make(map[wire.DeviceID]*Evidence), stale: true,
	}
}

// Add takes in a vote that is valid, and reports whether it told anything new. A
// [MissingError] names a block that is needed first, an [EarlyError] says that
// other votes are; both may be offered again. A [VoteError] is for ever.
func (v *Votes) Add(vote *Vote) (bool, error) {
	e, b, err := v.check(vote)
	if err != nil {
		return false, err
	}
	if v.over(e, vote.Round) {
		return false, nil
	}
	if vote.Round > max(e.reached(), e.base)+1+maxAhead {
		return false, &EarlyError{vote.Era, vote.Round}
	}
	if !v.put(e, b) {
		return false, nil
	}
	return true, nil
}

// AddWarrant takes in the votes of a warrant by which somebody settled a block. If
// it conflicts with what is settled here, its votes are kept though their round
// is over.
func (v *Votes) AddWarrant(w *Warrant) (bool, error) {
	e, ballots, err := v.judgeWarrant(w)
	if err != nil {
		return false, err
	}
	y := v.blocks.by[w.Block]
	against := !below(y, e.settled) && !below(e.settled, y)
	if against && e.conflict != nil && e.conflict.Kept {
		return false, nil // one shows enough
	}
	changed := false
	for _, b := range ballots {
		if against || !v.over(e, b.Round) {
			changed = v.put(e, b) || changed
		}
	}
	return changed, nil
}

// put takes in a checked ballot, and looks whether it shows that its voter lied.
func (v *Votes) put(e *era, b *ballot) bool {
	own := e.of(b.voter)
	if !e.put(b) {
		return false
	}
	v.stale = true
	for _, o := range own {
		if o.hash != b.hash && blame(o, b) {
			v.keep(newEvidence(o.Vote, b.Vote))
		}
	}
	return true
}

// check is the validity of one vote: what it names is held and in its place, its
// device is a voter and signed it.
func (v *Votes) check(vote *Vote) (*era, *ballot, error) {
	e, err := v.eraOf(vote)
	if err != nil {
		return nil, nil, err
	}
	b, err := e.ballot(v, vote)
	if err != nil {
		return nil, nil, err
	}
	return e, b, nil
}

// eraOf returns the era that a vote names.
func (v *Votes) eraOf(vote *Vote) (*era, error) {
	genesis := v.blocks.genesis
	switch {
	case genesis == nil:
		return nil, &MissingError{wire.BlockHash(vote.Group)}
	case genesis.State.ofPerson:
		return nil, &VoteError{ReasonPerson}
	case vote.Group != wire.GroupID(genesis.Hash):
		return nil, &VoteError{ReasonGroup}
	}
	start := v.blocks.by[vote.Era]
	if start == nil {
		return nil, &MissingError{vote.Era}
	}
	if start.eraStart() != start {
		return nil, &VoteError{ReasonEra}
	}
	v.settle()
	e := v.eras[start]
	if e == nil && !v.off.on(ruleEraSettled) {
		e = newEra(start, v.off)
		v.eras[start] = e
	}
	if e == nil {
		return nil, &EarlyError{vote.Era, vote.Round}
	}
	return e, nil
}

// ballot checks vote as one of the era's.
func (e *era) ballot(v *Votes, vote *Vote) (*ballot, error) {
	voter, ok := e.voter(vote.Device)
	if !ok && e.off.on(ruleVoter) {
		return nil, &VoteError{ReasonVoter}
	}
	if e.off.on(ruleSignature) {
		_, d, _ := e.start.State.Device(vote.Device)
		if !vote.Verify(d.Key[:]) {
			return nil, &VoteError{ReasonSignature}
		}
	}
	switch {
	case vote.Seq == 0:
		return nil, &VoteError{ReasonVoteSeq}
	case vote.Round == 0, vote.Source.Round >= vote.Round && e.off.on(ruleSourceRound):
		return nil, &VoteError{ReasonRound}
	}
	block, source := v.blocks.by[vote.Block], v.blocks.by[vote.Source.Block]
	if block == nil {
		return nil, &MissingError{vote.Block}
	}
	if source == nil {
		return nil, &MissingError{vote.Source.Block}
	}
	switch {
	case e.off.on(ruleSourceBlock) && !(below(e.start, source) && below(source, block)),
		e.off.on(ruleSourceStart) && vote.Source.Round == 0 && source != e.start:
		return nil, &VoteError{ReasonSource}
	case !below(e.start, block),
		e.off.on(ruleEraBlock) && block != e.start && block.parent.eraStart() != e.start:
		return nil, &VoteError{ReasonEra}
	}
	return &ballot{vote, vote.Hash(), voter, block, source}, nil
}

// eraStart returns the start of the era that the state after n is of: the nearest
// block, n or an ancestor, that changed the voters. What is found is kept with
// the block, so that it goes when the block is shed.
func (n *node) eraStart() *node {
	var way []*node
	at := n
	for ; at.era == nil && at.parent != nil; at = at.parent {
		way = append(way, at)
	}
	if at.era == nil {
		at.era = at
	}
	start := at.era
	for _, n := range slices.Backward(way) {
		if !slices.Equal(n.State.Voters(), start.State.Voters()) {
			start = n
		}
		n.era = start
	}
	return start
}

// settle walks from era to era as far as blocks that change the voters are
// settled.
func (v *Votes) settle() {
	if !v.stale || v.blocks.genesis == nil {
		return
	}
	v.path = v.path[:0]
	for at := v.blocks.genesis; ; {
		e := v.eras[at]
		if e == nil {
			e = newEra(at, v.off)
			v.eras[at] = e
		}
		e.judge(v.pinned(at), func() voterSet { return v.liars(e) })
		e.trim()
		v.path = append(v.path, e)
		v.settled = e.settled
		if at = e.settled; at == e.start || at.eraStart() != at || e.stopped() {
			break
		}
	}
	v.stale = false
}

func (e *era) stopped() bool { return e.conflict != nil && e.conflict.Stopped }

// liars returns the voters of the era against whom there is evidence.
func (v *Votes) liars(e *era) (set voterSet) {
	for i, m := range e.voters {
		if v.evidence[m.Device] != nil && v.off.on(ruleConflict) {
			set |= 1 << i
		}
	}
	return set
}

// current returns the current era; nil before there is a genesis.
func (v *Votes) current() *era {
	v.settle()
	if len(v.path) == 0 {
		return nil
	}
	return v.path[len(v.path)-1]
}

// Settled returns the highest settled block; zero before there is a genesis.
func (v *Votes) Settled() wire.BlockHash {
	if v.current() == nil {
		return wire.BlockHash{}
	}
	return v.settled.Hash
}

// IsSettled reports whether the block is settled.
func (v *Votes) IsSettled(hash wire.BlockHash) bool {
	return v.blocks.IsAncestor(hash, v.Settled())
}

// Era returns the block that starts the current era.
func (v *Votes) Era() wire.BlockHash {
	if e := v.current(); e != nil {
		return e.start.Hash
	}
	return wire.BlockHash{}
}

// Voters returns who votes in the current era, by person. A person whose devices are
// all removed has none here, and cannot vote.
func (v *Votes) Voters() []wire.Member {
	if e := v.current(); e != nil {
		return slices.Clone(e.voters)
	}
	return nil
}

// Round returns the highest round of the current era of which a quorum's votes
// are held; 0: none.
func (v *Votes) Round() uint64 {
	if e := v.current(); e != nil {
		return e.reached()
	}
	return 0
}

// Since returns the round that settled last; 0: none of the era did.
func (v *Votes) Since() uint64 {
	if e := v.current(); e != nil {
		return e.since()
	}
	return 0
}

// Conflict returns the first conflict of settlements on the way here, or nil.
func (v *Votes) Conflict() *Conflict {
	v.settle()
	for _, e := range v.path {
		if e.conflict != nil {
			return e.conflict
		}
	}
	return nil
}

// All returns the votes held, by era, round and voter: what is to be stored, and
// passed on in this order.
func (v *Votes) All() []*Vote {
	v.settle()
	starts := make([]*node, 0, len(v.eras))
	for start := range v.eras {
		starts = append(starts, start)
	}
	slices.SortFunc(starts, func(a, b *node) int { return -compareNodes(a, b) })
	var list []*Vote
	for _, start := range starts {
		for _, b := range v.eras[start].ballots() {
			list = append(list, b.Vote)
		}
	}
	return list
}

// Settlement returns the warrants by which the settled block is settled, from the
// first era on; none for an era that has settled nothing yet.
func (v *Votes) Settlement() Settlement {
	v.settle()
	var s Settlement
	for _, e := range v.path {
		if e.by != nil {
			s = append(s, e.warrant(&verdict{e.settled, e.by}))
		}
	}
	return s
}

// Root returns where fork choice begins: at the highest certificate of the
// current era if that descends from the settled block, else at the settled one.
// Zero before there is a genesis.
func (v *Votes) Root() wire.BlockHash {
	e := v.current()
	if e == nil {
		return wire.BlockHash{}
	}
	if _, y := e.certificate(); !e.stopped() && below(v.settled, y) {
		return y.Hash
	}
	return v.settled.Hash
}

// Head returns the head among the blocks held, which never leaves the settled
// chain. Zero before there is a genesis.
func (v *Votes) Head() wire.BlockHash { return v.blocks.HeadFrom(v.Root()) }
