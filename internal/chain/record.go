package chain

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"kith/internal/identity"
	"kith/internal/wire"
)

// A Record is a chain in a file: every header, those of branches that lost
// included, so that somebody outside the group can check who belongs, by whose
// word, without a secret and without asking anybody. It holds no body, hence no
// keys and no messages; names only if its maker put them in.
type Record struct {
	Headers    []*Header        // by height, then hash: parents before children
	Settlement Settlement       // empty: nothing is shown to be settled
	Proofs     [][]*Header      // of people, cited by blocks; ascending by citation
	Infos      []identity.Info  // names and titles; ascending by commitment
	parsed     []wire.BlockHash // of Headers, if they were read from a file
}

// recordMagic begins every chain file; recordVersion follows it.
const (
	recordMagic   = "KITHCHN"
	recordVersion = 1
)

// Bounds of chain files; ours.
const (
	// MaxRecord bounds a chain file, in bytes: 100,000 blocks of 2 KiB, and what
	// a program may read into memory at once.
	MaxRecord = 256 << 20

	// maxRecordBlocks bounds its headers; a header has at least 319 bytes.
	maxRecordBlocks = MaxRecord / 319
)

// A RecordError says why a chain file is refused as a whole. A header in it that
// breaks a rule is a [RejectError].
type RecordError struct {
	Reason RecordReason
	Err    error
}

func (e *RecordError) Error() string {
	if e.Err == nil {
		return "chain: record refused: " + string(e.Reason)
	}
	return fmt.Sprintf("chain: record refused: %s: %v", e.Reason, e.Err)
}

func (e *RecordError) Unwrap() error { return e.Err }

// RecordReason is a stable word for what is wrong with a chain file.
type RecordReason string

// Reasons of a RecordError.
const (
	RecordKind   RecordReason = "kind"   // no chain of a group at all
	RecordForm   RecordReason = "form"   // cut short, or made wrongly
	RecordParent RecordReason = "parent" // a block without the one it builds on
	RecordStray  RecordReason = "stray"  // a name or proof that no block commits to
	RecordVotes  RecordReason = "votes"  // they settle nothing, or not what they say
)

// NewRecord returns the record of all blocks held, without names and votes. What
// a Carry cites is part of it, even if that branch is not held any more, and so
// are the proofs of devices that the fork choice looks into.
func NewRecord(b *Blocks) *Record {
	all := make(map[wire.BlockHash]*Header, b.Len())
	for hash, n := range b.by {
		all[hash] = n.Header
		if n.Body == nil {
			continue
		}
		cited := n.Body.Attachments
		for _, op := range n.Header.Ops {
			if op.Kind() == KindCarry {
				branch, _ := ParseProof(cited[0]) // it is valid, or the block were not held
				for _, h := range branch {
					all[h.Hash()] = h
				}
			}
			cited = cited[len(Cites(op)):]
		}
	}
	r := new(Record)
	for _, hash := range slices.SortedFunc(maps.Keys(all), func(a, b wire.BlockHash) int {
		return cmp.Or(cmp.Compare(all[a].Height, all[b].Height), compareHashes(a, b))
	}) {
		r.Headers = append(r.Headers, all[hash])
	}
	r.putProofs(b.contested())
	return r
}

// offset size field
// 0      7    magic, "KITHCHN"
// 7      1    version, 0x01
// 8      var  headers<V>, each opaque header<V>; by height, then hash; genesis first
// +0     var  settlement: warrants<V>, by era
// +0     var  proofs<V>, each opaque proof<V>; ascending by citation
// +0     var  infos<V>, each opaque info<V>; ascending by commitment
func (r *Record) Marshal() []byte {
	var w wire.Writer
	w.Raw([]byte(recordMagic))
	w.U8(recordVersion)
	w.Group(func(w *wire.Writer) {
		for _, h := range r.Headers {
			w.Vec(h.Bytes())
		}
	})
	w.Raw(r.Settlement.Marshal())
	w.Group(func(w *wire.Writer) {
		for _, p := range r.Proofs {
			w.Vec(MarshalProof(p))
		}
	})
	w.Group(func(w *wire.Writer) {
		for _, i := range r.Infos {
			w.Vec(i.Marshal())
		}
	})
	return w.Bytes()
}

// ParseRecord decodes a whole chain file; [Record.Verify] judges it. The error
// is a [RecordError], or [ErrNewer].
func ParseRecord(b []byte) (*Record, error) {
	if !bytes.HasPrefix(b, []byte(recordMagic)) {
		return nil, &RecordError{RecordKind, nil}
	}
	if len(b) > MaxRecord {
		return nil, &RecordError{RecordForm, wire.ErrTooLong}
	}
	r := wire.NewReader(b[len(recordMagic):])
	if v := r.U8(); r.Err() == nil && v != recordVersion {
		return nil, ErrNewer
	}
	rec := new(Record)
	r.Each(MaxRecord, maxRecordBlocks, rec.readHeader)
	r.Each(MaxSettlement, MaxWarrants, func(r *wire.Reader) { rec.Settlement = append(rec.Settlement, decodeWarrant(r)) })
	rec.readPapers(r)
	switch err := r.Done(); {
	case isNewer(err):
		return nil, ErrNewer
	case err != nil:
		return nil, &RecordError{RecordForm, err}
	}
	return rec, nil
}

// readHeader reads the next header, which must come after the one before it.
func (rec *Record) readHeader(r *wire.Reader) {
	raw := r.Vec(MaxHeader)
	if r.Err() != nil {
		return
	}
	h, err := ParseHeader(raw)
	if err != nil {
		r.Fail(err)
		return
	}
	hash := h.Hash()
	if n := len(rec.Headers); n > 0 {
		last := rec.Headers[n-1].Height
		if h.Height < last || h.Height == last && compareHashes(rec.parsed[n-1], hash) >= 0 {
			r.Fail(wire.ErrCanonical)
			return
		}
	}
	rec.Headers, rec.parsed = append(rec.Headers, h), append(rec.parsed, hash)
}

// readPapers reads proofs and infos.
func (rec *Record) readPapers(r *wire.Reader) {
	var before wire.Digest
	ascends := func(r *wire.Reader, d wire.Digest) {
		if bytes.Compare(before[:], d[:]) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
		before = d
	}
	r.Each(MaxRecord, MaxRecord, func(r *wire.Reader) {
		raw := r.Vec(MaxBody)
		if r.Err() != nil {
			return
		}
		headers, err := ParseProof(raw)
		if err != nil {
			r.Fail(err)
			return
		}
		ascends(r, Cite(raw))
		rec.Proofs = append(rec.Proofs, headers)
	})
	before = wire.Digest{}
	r.Each(MaxRecord, MaxRecord, func(r *wire.Reader) {
		raw := r.Vec(MaxHeader)
		if r.Err() != nil {
			return
		}
		info, err := identity.ParseInfo(raw)
		if err != nil {
			r.Fail(err)
			return
		}
		ascends(r, info.Commit())
		rec.Infos = append(rec.Infos, info)
	})
}

// A Verified is what a record shows to anybody.
type Verified struct {
	Blocks    *Blocks // of the bodies no more than what a Carry cites
	Head      wire.BlockHash
	Settled   wire.BlockHash  // genesis unless votes show more
	SettledBy []wire.PersonID // by whose votes, sorted
	Round     uint64          // of those votes
	Settlings []Settling      // what was settled by whom, one of each era, oldest first
	names     map[wire.PersonID]wire.Digest
	infos     map[wire.Digest]string
}

// A Settling is how a record shows a block to be settled, with all before it.
type Settling struct {
	Block  wire.BlockHash
	Round  uint64
	By     []wire.PersonID // who voted in that round, sorted
	Voters int             // how many the era has
	Quorum int             // how many of them settle a block
}

// Verify checks every header by the rules V1 to V5, V7, V8 and its signature,
// genesis first, and that each proof and name is committed to by a block. The
// error is a [RejectError], a [RecordError], or [ErrNewer]. What only the
// bodies show (V6: that a device belongs to its person, that the keys follow
// the ops) an outsider does not see.
func (r *Record) Verify() (*Verified, error) {
	b, err := r.blocks()
	if _, missing := errors.AsType[*MissingError](err); missing {
		return nil, &RecordError{RecordParent, err}
	}
	if err != nil {
		return nil, err
	}
	switch {
	case b.Len() == 0:
		return nil, &RecordError{RecordForm, wire.ErrShort}
	case b.State(b.Genesis()).OfPerson():
		return nil, &RecordError{RecordKind, nil}
	}
	v := &Verified{Blocks: b, Head: b.Head(), Settled: b.Genesis(), names: make(map[wire.PersonID]wire.Digest), infos: make(map[wire.Digest]string)}
	if err := v.settle(r.Settlement); err != nil {
		return nil, err
	}
	return v, v.takeNames(r)
}

// blocks checks the headers. The fork choice listens to what a Carry cites, which
// stands in the record as a branch that lost, and to the proofs of devices.
func (r *Record) blocks() (*Blocks, error) {
	by := make(map[wire.BlockHash]*Header, len(r.Headers))
	for _, h := range r.Headers {
		if _, held := by[h.Parent]; !held && !h.IsGenesis() {
			return nil, &MissingError{h.Parent}
		}
		by[h.Hash()] = h
	}
	states, err := CheckHeaders(r.Headers)
	if err != nil {
		return nil, err
	}
	proofs := r.proofs()
	b := NewBlocks()
	for i, h := range r.Headers {
		var body Body
		for _, op := range h.Ops {
			papers := make([][]byte, len(Cites(op)))
			if person, i := tells(op); person != (wire.PersonID{}) && proofs[Cites(op)[i]] != nil {
				papers[i] = MarshalProof(proofs[Cites(op)[i]])
			}
			if carry, ok := op.(*Carry); ok {
				papers[0] = MarshalProof(branchTo(by, carry.Block, h.Parent))
				if Cite(papers[0]) != carry.Cites[0] {
					return nil, &MissingError{carry.Block}
				}
			}
			body.Attachments = append(body.Attachments, papers...)
		}
		if err := b.Add(h, &body, states[i]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// branchTo returns the headers from where the branches of two blocks part to
// the first of them.
func branchTo(by map[wire.BlockHash]*Header, to, other wire.BlockHash) (list []*Header) {
	for to != other && by[to] != nil && by[other] != nil {
		if h := by[to]; h.Height >= by[other].Height {
			list, to = append(list, h), h.Parent
		} else {
			other = by[other].Parent
		}
	}
	slices.Reverse(list)
	return list
}

// settle judges the votes; which block is the head follows from them too.
func (v *Verified) settle(s Settlement) error {
	if len(s) == 0 {
		return nil
	}
	votes := NewVotes(v.Blocks)
	for _, w := range s {
		if _, err := votes.AddWarrant(w); err != nil {
			return &RecordError{RecordVotes, err}
		}
	}
	for _, w := range s {
		v.Settlings = append(v.Settlings, v.settling(w))
	}
	last := v.Settlings[len(s)-1]
	if votes.Conflict() != nil || votes.Settled() != last.Block {
		return &RecordError{RecordVotes, nil}
	}
	v.Head, v.Settled, v.Round, v.SettledBy = votes.Head(), last.Block, last.Round, last.By
	return nil
}

// settling says what a warrant that holds shows.
func (v *Verified) settling(w *Warrant) Settling {
	era := v.Blocks.State(w.Votes[0].Era)
	n := len(era.Electorate())
	out := Settling{Block: w.Block, Round: w.Votes[len(w.Votes)-1].Round, Voters: n, Quorum: Quorum(n)}
	for _, vote := range w.Votes {
		m, _, _ := era.Device(vote.Device)
		if vote.Round == out.Round && !slices.Contains(out.By, m.Person) {
			out.By = append(out.By, m.Person)
		}
	}
	slices.SortFunc(out.By, func(a, b wire.PersonID) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// Chain returns the blocks from genesis to the head.
func (v *Verified) Chain() []wire.BlockHash {
	list := make([]wire.BlockHash, v.Blocks.Header(v.Head).Height+1)
	for i := range list {
		list[i] = v.Blocks.Ancestor(v.Head, uint64(i))
	}
	return list
}
