package chain

import (
	"fmt"
	"reflect"
	"slices"
	"weak"

	"kith/internal/wire"
)

// Light returns a block that keeps the rules V2 to V5, but has any hash and
// neither signature, body nor state root; nil if it breaks one.
func Light(parent *Block, hash wire.BlockHash, author wire.Member, ops ...Op) *Block {
	h := &Header{Version: HeaderVersion, Suite: SuiteAES, SigAlg: wire.SigEd25519, Height: parent.State.height + 1, Parent: parent.Hash, Author: author, AuthorSeq: parent.State.height + 1, Class: computedClass(ops), Ops: ops}
	s := *parent.State
	c := &change{State: &s, parent: parent.State, h: h}
	for _, step := range []func() error{c.author, c.authority, c.apply} {
		if step() != nil {
			return nil
		}
	}
	if c.height = h.Height; len(c.Admins()) == 0 {
		return nil
	}
	return &Block{Hash: hash, Header: h, State: &s}
}

// Rehash returns a copy of a block under other hashes.
func (b *Block) Rehash(parent, hash wire.BlockHash) *Block {
	h := *b.Header
	h.Parent = parent
	return &Block{Hash: hash, Header: &h, Body: b.Body, State: b.State}
}

// Insert adds a block made by Light.
func (b *Blocks) Insert(x *Block) { b.insert(&node{Block: *x}) }

// SurplusAbove is what Shed finds.
func (b *Blocks) SurplusAbove(root wire.BlockHash) []wire.BlockHash { return b.surplus(b.by[root]) }

// Switches turn one rule of the fork choice off each.
var Switches = map[string]rules{
	"noStrike":      {noStrike: true},
	"noDemotion":    {noDemotion: true},
	"noCarry":       {noCarry: true},
	"carryDrops":    {carryDrops: true},
	"carriedOnly":   {carriedOnly: true},
	"absentRanks":   {absentRanks: true},
	"noWeight":      {noWeight: true},
	"noRank":        {noRank: true},
	"noDeviceRank":  {noDeviceRank: true},
	"anyStriker":    {anyStriker: true},
	"anyWeigher":    {anyWeigher: true},
	"noInnerForks":  {noInnerForks: true},
	"juniorFirst":   {juniorFirst: true},
	"struckStrikes": {struckStrikes: true},
	"struckWeighs":  {struckWeighs: true},
	"ownChildToo":   {ownChildToo: true},
	"noSelfDefeat":  {noSelfDefeat: true},
	"droppedSpeaks": {droppedSpeaks: true},
	"voidCounts":    {voidCounts: true},
	"voidRanks":     {voidRanks: true},
	"noKeeping":     {noKeeping: true},
	"keptByRevoked": {keptByRevoked: true},
	"noDoubt":       {noDoubt: true},
	"doubtNew":      {doubtNew: true},
	"noShown":       {noShown: true},
	"noPassing":     {noPassing: true},
	"noRecovery":    {noRecovery: true},
	"anyTold":       {anyTold: true},
	"allPass":       {allPass: true},
	"noBreak":       {noBreak: true},
}

// AllSwitches is how many there must be.
var AllSwitches = reflect.TypeFor[rules]().NumField()

// HeadWith returns the fork choice with a switch set; all rules are on for "".
func HeadWith(name string) func(wire.BlockHash, []*Block) wire.BlockHash { return Switches[name].head }

// PendingWith does the same for the removals that are pending.
func PendingWith(name string) func(wire.BlockHash, []*Block) []PendingRemoval {
	return Switches[name].pending
}

// Held returns a pointer to what is kept of a block, which does not keep it.
func (b *Blocks) Held(hash wire.BlockHash) weak.Pointer[node] { return weak.Make(b.by[hash]) }

// Featured is a state with one more active feature, which this program may not know.
func (s *State) Featured(f uint16) *State {
	c := *s
	c.features = slices.Sorted(slices.Values(append(slices.Clone(s.features), f)))
	c.root = c.computeRoot()
	return &c
}

// ProveVoters is what a step shows of a state.
func (s *State) ProveVoters() []*MemberProof { return s.proveVoters() }

// Certificate returns the highest certificate of the current era.
func (v *Votes) Certificate() Source {
	e := v.current()
	if e == nil {
		return Source{}
	}
	round, y := e.certificate()
	return Source{round, y.Hash}
}

// Certified reports whether the certificate is held, in the current era.
func (v *Votes) Certified(s Source) bool {
	e, y := v.current(), v.blocks.by[s.Block]
	return e != nil && y != nil && e.certified(s.Round, y)
}

// ParseMemberProof decodes a whole proof; Verify judges it.
func ParseMemberProof(b []byte) (*MemberProof, error) {
	r := wire.NewReader(b)
	p := decodeMemberProof(r)
	switch err := r.Done(); {
	case isNewer(err):
		return nil, ErrNewer
	case err != nil:
		return nil, fmt.Errorf("chain: member proof: %w", err)
	}
	return p, nil
}
