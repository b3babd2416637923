package chain

import (
	"bytes"
	"errors"
	"slices"

	"kith/internal/wire"
)

// A Standing shows to whoever knows a group's id what its settled membership says
// of one person: the settled header, the votes that settle it, and the path from
// the person's record to its state root. The voters of each era are shown by the
// header that starts it, as the voters before them settled it, so neither the
// other headers nor a state are needed.
//
//	genesis ─votes─> E1, its voters ─votes─> E2, its voters ─votes─> S, its voters, person
//	                                                       ... way ──┘└── above
//
// docs/spec/standing.md says what who holds one may believe.
type Standing struct {
	Genesis *Header
	Steps   []Step    // one for each era that settled something; S is that of the last, genesis if there is none
	Above   []*Header // blocks above S up to those that the last votes name as sources; by height, then hash
	Way     []*Header // blocks below S, each the parent of the next, the last that of S
	Member  *MemberProof
}

// A Step is the block that an era settled last.
type Step struct {
	Header *Header
	Votes  []*Vote        // of one round, by device and hash
	Voters []*MemberProof // who votes after it: settings, then each voter by person
}

// A Shown is what a Standing that holds shows.
type Shown struct {
	Group     wire.GroupID
	Settled   *Header
	Settlings []Settling // by whose votes, one of each era, oldest first
	Member    Member
}

// A voice is a voter and the key that its votes are checked with.
type voice struct {
	wire.Member
	key [32]byte
}

// NewStanding returns what the settled block says of a person, to whoever trusts
// the group's id or keeps the block at height since of the settled chain; the way
// from there is part of it if since is below the settled block. The blocks are
// those of a [Verified] record or their like, the settlement is theirs.
func NewStanding(b *Blocks, settlement Settlement, person wire.PersonID, since uint64) (*Standing, error) {
	if b.genesis == nil || b.genesis.State.ofPerson {
		return nil, &StandingError{Reason: StandingKind}
	}
	s := &Standing{Genesis: b.genesis.Header}
	at := b.genesis
	for _, w := range settlement {
		y := b.by[w.Block]
		if y == nil {
			return nil, &MissingError{w.Block}
		}
		s.Steps, at = append(s.Steps, Step{y.Header, agreeing(b, y, w), y.State.proveVoters()}), y
	}
	proof, ok := at.State.Prove(person)
	if !ok {
		return nil, &StandingError{Reason: StandingAbsent, Height: at.State.height}
	}
	s.Member, s.Above = proof, s.above(b, at)
	for n := at; n.parent != nil && n.parent.State.height > since; n = n.parent {
		s.Way = append(s.Way, n.parent.Header)
	}
	slices.Reverse(s.Way)
	if s.size() > MaxStanding {
		return nil, &StandingError{Reason: StandingLarge}
	}
	return s, nil
}

// agreeing returns the votes of a warrant's last round that settle y: those with
// a source at y or above, and both of who signed two. See [round.settled].
func agreeing(b *Blocks, y *node, w *Warrant) (list []*Vote) {
	last := w.Votes[len(w.Votes)-1].Round
	by := make(map[wire.DeviceID][]*Vote)
	for _, v := range w.Votes {
		own := by[v.Device]
		if v.Round == last && len(own) < maxPerRound && !slices.ContainsFunc(own, v.sameContent) {
			by[v.Device] = append(own, v)
		}
	}
	for _, own := range by {
		x := b.by[own[0].Source.Block]
		if len(own) > 1 || own[0].Source.Round+1 == last && x != nil && below(y, x) {
			list = append(list, own...)
		}
	}
	slices.SortFunc(list, compareVotes)
	return list
}

// proveVoters proves the settings, which name the electorate, and each voter.
func (s *State) proveVoters() []*MemberProof {
	leaves := s.leaves()
	list := []*MemberProof{{Leaves: uint32(len(leaves)), Record: s.encodeSettings(), Path: auditPath(leaves, 0)}}
	for _, id := range s.electorate {
		if p, ok := s.Prove(id); ok {
			list = append(list, p)
		}
	}
	return list
}

// above returns the headers between the settled block and the sources of the
// votes that settle it.
func (s *Standing) above(b *Blocks, at *node) (list []*Header) {
	if len(s.Steps) == 0 {
		return nil
	}
	taken := make(map[*node]bool)
	for _, v := range s.Steps[len(s.Steps)-1].Votes {
		n := b.by[v.Source.Block]
		if n == nil || !below(at, n) {
			continue
		}
		for ; n != at && !taken[n]; n = n.parent {
			taken[n] = true
			list = append(list, n.Header)
		}
	}
	slices.SortFunc(list, compareHeaders)
	return list
}

// compareHeaders orders by height, then hash.
func compareHeaders(a, b *Header) int {
	if a.Height != b.Height {
		return compare(a.Height, b.Height)
	}
	return compareHashes(a.Hash(), b.Hash())
}

// Settled returns the header of the settled block.
func (s *Standing) Settled() *Header {
	if len(s.Steps) == 0 {
		return s.Genesis
	}
	return s.Steps[len(s.Steps)-1].Header
}

// Verify checks all of it, from genesis on. It believes of each era that no more
// than [Faults] of its voters lied; rules it does not check, but for genesis.
func (s *Standing) Verify() (*Shown, error) {
	voices, err := s.first()
	if err != nil {
		return nil, err
	}
	era := s.Genesis
	out := &Shown{Group: wire.GroupID(era.Hash()), Settled: s.Settled()}
	for i, step := range s.Steps {
		last := i == len(s.Steps)-1
		upper, err := s.upper(step, last)
		if err != nil {
			return nil, err
		}
		h := step.Header
		if h.Group != out.Group || h.Height <= era.Height || h.Height == era.Height+1 && h.Parent != era.Hash() {
			return nil, &StandingError{StandingWay, h.Height}
		}
		by, ok := settles(voices, era.Hash(), upper, step)
		if !ok {
			return nil, &StandingError{StandingVotes, h.Height}
		}
		next, err := step.voices()
		if isNewer(err) {
			return nil, err
		}
		if err != nil || !last && sameVoices(voices, next) {
			return nil, &StandingError{StandingVoters, h.Height}
		}
		out.Settlings = append(out.Settlings, by)
		voices, era = next, h
	}
	if !s.linked() || len(s.Steps) == 0 && len(s.Above) > 0 {
		return nil, &StandingError{StandingWay, out.Settled.Height}
	}
	if out.Member, err = s.Member.Verify(out.Settled.StateRoot); err != nil {
		return nil, &StandingError{StandingPerson, out.Settled.Height}
	}
	return out, nil
}

// first returns who votes from genesis on.
func (s *Standing) first() ([]voice, error) {
	if !s.Genesis.IsGenesis() {
		return nil, &StandingError{StandingWay, s.Genesis.Height}
	}
	states, err := CheckHeaders([]*Header{s.Genesis})
	if err != nil {
		return nil, err
	}
	if states[0].ofPerson {
		return nil, &StandingError{Reason: StandingKind}
	}
	return voicesOf(states[0].electorate, states[0].Person), nil
}

// ends reports whether the block of a step, which has been verified, ends the era
// that settles it: it changes the voters.
func (s *Standing) ends(i int) bool {
	before, err := s.first()
	if i > 0 {
		before, err = s.Steps[i-1].voices()
	}
	after, wrong := s.Steps[i].voices()
	return err == nil && wrong == nil && !sameVoices(before, after)
}

func sameVoices(a, b []voice) bool {
	return slices.EqualFunc(a, b, func(a, b voice) bool { return a.Member == b.Member })
}

// upper returns the step's block and, of the last step, those above it: the
// sources by which votes settle it. There is nothing in Above but what leads to
// one.
func (s *Standing) upper(step Step, last bool) (map[wire.BlockHash]bool, error) {
	upper := map[wire.BlockHash]bool{step.Header.Hash(): true}
	if !last {
		return upper, nil
	}
	leads := make(map[wire.BlockHash]bool)
	for _, v := range step.Votes {
		leads[v.Source.Block] = true
	}
	for _, h := range s.Above {
		leads[h.Parent] = true
	}
	for i, h := range s.Above {
		hash := h.Hash()
		if !upper[h.Parent] || !leads[hash] || i > 0 && compareHeaders(s.Above[i-1], h) >= 0 {
			return nil, &StandingError{StandingWay, h.Height}
		}
		upper[hash] = true
	}
	return upper, nil
}

// settles reports whether the votes of a step are all voters' of the era, of one
// round, and settle its block; [round.settled] is the same rule for who holds all
// blocks.
func settles(voices []voice, era wire.BlockHash, upper map[wire.BlockHash]bool, step Step) (Settling, bool) {
	out := Settling{Block: step.Header.Hash(), Voters: len(voices), Quorum: Quorum(len(voices))}
	var agree, wild voterSet
	for i, v := range step.Votes {
		at := slices.IndexFunc(voices, func(o voice) bool { return o.Device == v.Device && v.Device != wire.DeviceID{} })
		if at < 0 || v.Group != step.Header.Group || v.Era != era || v.Seq == 0 || v.Source.Round >= v.Round || !v.Verify(voices[at].key[:]) {
			return out, false
		}
		if i > 0 {
			before := step.Votes[i-1]
			if v.Round != before.Round || compareVotes(before, v) >= 0 || before.sameContent(v) || wild&(1<<at) != 0 {
				return out, false
			}
			if before.Device == v.Device {
				wild |= 1 << at
			}
		}
		if v.Source.Round+1 == v.Round && v.Source.Round > 0 && upper[v.Source.Block] {
			agree |= 1 << at
		}
		if n := len(out.By); n == 0 || step.Votes[i-1].Device != v.Device {
			out.By = append(out.By, voices[at].Person)
		}
		out.Round = v.Round
	}
	slices.SortFunc(out.By, func(a, b wire.PersonID) int { return bytes.Compare(a[:], b[:]) })
	return out, agree != 0 && (agree|wild).len() >= out.Quorum
}

// errVoices says that a step does not show who votes after it.
var errVoices = errors.New("chain: the voters are not in the state root")

// voices returns who votes from the step's block on, as its state root shows it. It
// is [ErrNewer] if the settings name what this program does not know (V8).
func (step Step) voices() ([]voice, error) {
	root := step.Header.StateRoot
	if len(step.Voters) == 0 || step.Voters[0].Index != 0 || !step.Voters[0].leads(root) {
		return nil, errVoices
	}
	features, electorate, err := decodeSettings(step.Voters[0].Record)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(features, func(f uint16) bool { return !Knows(f) }) {
		return nil, ErrNewer
	}
	if len(electorate) != len(step.Voters)-1 {
		return nil, errVoices
	}
	members := make(map[wire.PersonID]Member)
	for i, id := range electorate {
		proof := step.Voters[i+1]
		m, err := proof.Verify(root)
		if err != nil {
			return nil, err
		}
		if m.Person != id || proof.Leaves != step.Voters[0].Leaves {
			return nil, errVoices
		}
		members[id] = m
	}
	return voicesOf(electorate, func(id wire.PersonID) (Member, bool) { m, ok := members[id]; return m, ok }), nil
}

func voicesOf(electorate []wire.PersonID, find func(wire.PersonID) (Member, bool)) []voice {
	list := make([]voice, len(electorate))
	for i, id := range electorate {
		m, _ := find(id)
		d := m.voting()
		list[i] = voice{wire.Member{Person: id, Device: d.ID}, d.Key}
	}
	return list
}

// linked reports whether the way leads to the settled block, through genesis and
// the blocks of the other steps as far as it goes.
func (s *Standing) linked() bool {
	next := s.Settled()
	for _, h := range slices.Backward(s.Way) {
		if next.Height == 0 || h.Height != next.Height-1 || h.Hash() != next.Parent {
			return false
		}
		next = h
	}
	if next.Height == 0 && len(s.Way) > 0 {
		return false // genesis stands in front already
	}
	for _, h := range s.stations() {
		if hash, ok := s.at(h.Height); ok && hash != h.Hash() {
			return false
		}
	}
	return true
}

// stations returns genesis and the blocks of the steps.
func (s *Standing) stations() []*Header {
	list := []*Header{s.Genesis}
	for _, step := range s.Steps {
		list = append(list, step.Header)
	}
	return list
}

// at returns the block at a height of the chain of the settled block, as far down
// as the way shows it.
func (s *Standing) at(height uint64) (wire.BlockHash, bool) {
	top := s.Settled()
	first := top
	if len(s.Way) > 0 {
		first = s.Way[0]
	}
	switch {
	case height > top.Height || height+1 < first.Height:
		return wire.BlockHash{}, false
	case height == top.Height:
		return top.Hash(), true
	case height+1 == first.Height:
		return first.Parent, true
	}
	return s.Way[height-first.Height].Hash(), true
}
