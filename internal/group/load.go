package group

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/mls"
	"kith/internal/wire"
)

// selfRecord is the machine's own small state.
//
//	size field
//	1    status
//	8    author_seq of the newest own block
//	8    number of the newest own Ack
//	8    number of the newest own Reach
//	32   block this device came in by
//	32   block by which a copy of this device took its place; absent: none
func (m *Machine) selfRecord() Record {
	var w wire.Writer
	w.U8(uint8(m.status))
	w.U64(m.authorSeq)
	w.U64(m.ackSeq)
	w.U64(m.reachSeq)
	w.Raw(m.joined[:])
	if m.replaced != (wire.BlockHash{}) {
		w.Raw(m.replaced[:])
	}
	return Record{KindSelf, nil, w.Bytes()}
}

// A Source gives the stored records of one kind, by key ascending.
type Source func(k Kind, each func(Record) error) error

// from reads the records of a kind from a key on.
func (s Source) from(k Kind, key []byte, each func(Record) error) error {
	return s(k, func(rec Record) error {
		if bytes.Compare(rec.Key, key) < 0 {
			return nil
		}
		return each(rec)
	})
}

// Load is [LoadBy] where all records of a kind are read to find one.
func Load(self Self, records Source) (*Machine, error) { return LoadBy(self, records.from) }

// LoadBy makes a machine from its records. What was checked before it was stored
// is checked again where that is cheap: signatures of blocks, and that all fits
// together.
func LoadBy(self Self, read Reader) (*Machine, error) {
	m := newMachine(self)
	l := loading{m: m, endings: make(map[dag.Ref]bool), ratchets: make(map[wire.BlockHash][]mls.Change)}
	for _, step := range []struct {
		kind Kind
		take func(Record) error
	}{
		{KindBlock, l.block},
		{KindPublic, l.public},
		{KindEpoch, l.epoch},
		{KindRatchet, l.ratchet},
		{KindSelf, l.self},
		{KindFloor, l.floor},
		{KindEntry, nil}, // and KindPart
		{KindAck, l.ack},
		{KindReach, l.reach},
		{KindInfo, l.info},
		{KindLeave, l.leave},
		{KindWelcome, l.welcome},
		{KindLate, l.late},
		{KindSettled, l.settled},
		{KindVote, l.vote},
		{KindVoteEvidence, l.voteEvidence},
		{KindVoter, l.voter},
		{KindCompany, l.company},
		{KindSilence, l.silence},
		{KindHeld, l.held},
		{KindUndone, l.undone},
		{KindUnsent, l.unsent},
		{KindDoubted, l.doubted},
		{KindHollow, l.hollow},
		{KindVouched, l.vouched},
		{KindShelved, l.shelved},
		{KindMissed, l.missed},
		{KindExpiry, l.expiry},
		{KindEnding, l.ending},
		{KindEarlier, l.earlier},
		{KindLacking, l.lacking},
		{KindDeletion, l.deletion},
		{KindNack, l.nack},
		{KindPerson, l.person},
		{KindEvidence, l.evidence},
	} {
		var err error
		if step.take == nil {
			err = l.graph(read)
		} else {
			err = read(step.kind, nil, step.take)
		}
		if err != nil {
			return nil, refuse(ReasonStored, fmt.Errorf("records of kind %d: %w", step.kind, err))
		}
	}
	if err := l.end(); err != nil {
		return nil, refuse(ReasonStored, err)
	}
	return m, nil
}

// loading is a machine that is being made again.
type loading struct {
	m        *Machine
	ratchets map[wire.BlockHash][]mls.Change
	entries  []*dag.Header
	read     Reader
	from     *dag.Floor
	onShelf  []dag.Ref
	before   []*dag.Header
	deletes  []storedDelete
	endings  map[dag.Ref]bool // of which entries it is stored when they go
}

var errRecord = errors.New("a record does not fit")

func (l *loading) block(rec Record) error {
	r := wire.NewReader(rec.Value)
	header, body := r.Vec(maxBlock), r.Vec(maxBlock)
	if len(body) == 0 {
		return l.light(header, r)
	}
	if err := r.Done(); err != nil {
		return err
	}
	h, err := chain.ParseHeader(header)
	if err != nil {
		return err
	}
	b, err := chain.ParseBody(body)
	if err != nil {
		return err
	}
	s, err := l.m.blocks.Check(h, b)
	if err != nil {
		return err
	}
	return l.put(h, b, s)
}

func (l *loading) public(rec Record) error {
	p, err := mls.ParsePublicGroup(rec.Value)
	if err != nil || len(rec.Key) != 32 {
		return errors.Join(err, errRecord)
	}
	hash := wire.BlockHash(rec.Key)
	if !l.m.blocks.Has(hash) {
		return errRecord
	}
	l.m.publics[hash], l.m.trees[hash] = p, true
	return nil
}

func (l *loading) epoch(rec Record) error {
	if len(rec.Key) != 32 {
		return errRecord
	}
	hash := wire.BlockHash(rec.Key)
	if !l.m.blocks.Has(hash) {
		return errRecord
	}
	p, err := l.m.remember(hash)
	if err != nil {
		return err
	}
	if len(rec.Value) < 8 {
		return errRecord
	}
	e, err := mls.ParseEpoch(rec.Value[8:], p)
	if err != nil {
		return err
	}
	l.m.epochs[hash] = &epoch{secret: e, since: binary.BigEndian.Uint64(rec.Value)}
	return nil
}

func (l *loading) ratchet(rec Record) error {
	if len(rec.Key) < 32 {
		return errRecord
	}
	hash := wire.BlockHash(rec.Key[:32])
	l.ratchets[hash] = append(l.ratchets[hash], mls.Change{Key: rec.Key[32:], Value: rec.Value})
	return nil
}

func (l *loading) self(rec Record) error {
	m, r := l.m, wire.NewReader(rec.Value)
	m.status = Status(r.U8())
	m.authorSeq, m.ackSeq, m.reachSeq = r.U64(), r.U64(), r.U64()
	r.Fixed(m.joined[:])
	if r.Len() > 0 {
		r.Fixed(m.replaced[:])
	}
	return r.Done()
}

func (l *loading) floor(rec Record) error {
	f, err := dag.ParseFloor(rec.Value)
	if err != nil || l.m.graph == nil {
		return errors.Join(err, errRecord)
	}
	l.m.keepTips(f)
	l.from = &f
	return l.m.graph.SetFloor(f)
}

func (l *loading) entry(rec Record) error {
	h, err := dag.ParseHeader(rec.Value)
	if err != nil {
		return err
	}
	l.entries = append(l.entries, h)
	return nil
}

func (l *loading) ack(rec Record) error {
	a, err := dag.ParseAck(rec.Value)
	if err != nil {
		return err
	}
	l.m.setAck(a)
	if a.Device == l.m.self.Device.ID() {
		l.m.acked = a.Frontier
	}
	return nil
}

func (l *loading) reach(rec Record) error {
	a, err := dag.ParseReach(rec.Value)
	if err != nil {
		return err
	}
	l.m.reaches[a.Device] = a
	return nil
}

func (l *loading) info(rec Record) error {
	if len(rec.Key) != 32 {
		return errRecord
	}
	l.m.infos[wire.Digest(rec.Key)] = slices.Clone(rec.Value)
	return nil
}

func (l *loading) leave(rec Record) error {
	s, err := chain.ParseLeaveStatement(rec.Value)
	if err != nil {
		return err
	}
	l.m.leaves[s.Person] = &pendingLeave{s, 0}
	return nil
}

func (l *loading) welcome(rec Record) error {
	w, err := parseWelcome(rec.Value)
	if err != nil || len(rec.Key) != 32 {
		return errors.Join(err, errRecord)
	}
	l.m.welcomes[wire.BlockHash(rec.Key)] = welcome{slices.Clone(w.message), slices.Clone(w.floor)}
	return nil
}

func (l *loading) late(rec Record) error {
	r := wire.NewReader(rec.Value)
	p := Packed{r.Vec(maxEntryHeader), r.Vec(MaxCiphertext)}
	if err := r.Done(); err != nil {
		return err
	}
	h, err := dag.ParseHeader(p.Header)
	if err != nil {
		return err
	}
	if !l.m.blocks.Has(h.Block) {
		return errRecord
	}
	l.m.late[h.Ref()] = Packed{slices.Clone(p.Header), slices.Clone(p.Ciphertext)}
	return nil
}

func (l *loading) vouched(rec Record) error {
	ref, err := refKey(rec.Key)
	if err != nil || len(rec.Value) == 0 || len(rec.Value)%len(wire.BlockHash{}) != 0 {
		return errors.Join(err, errRecord)
	}
	for hash := range slices.Chunk(rec.Value, len(wire.BlockHash{})) {
		l.m.vouched[ref] = append(l.m.vouched[ref], wire.BlockHash(hash))
	}
	return nil
}

// undone passes over what an earlier device of this home was to do again: nothing
// keeps its block, which may be dropped.
func (l *loading) undone(rec Record) error {
	if len(rec.Key) != 32 {
		return errRecord
	}
	hash := wire.BlockHash(rec.Key)
	h := l.m.blocks.Header(hash)
	if h == nil && len(l.m.self.Former) == 0 {
		return errRecord
	}
	if h != nil && h.Author.Device == l.m.self.Device.ID() {
		l.m.undone[hash] = true
	}
	return nil
}

func (l *loading) unsent(rec Record) error {
	u, err := parseUnsent(rec.Value)
	if err != nil {
		return err
	}
	if len(rec.Key) != 8 || !l.m.blocks.Has(u.block) {
		return errRecord
	}
	l.m.unsent[binary.BigEndian.Uint64(rec.Key)] = u
	return nil
}

func (l *loading) nack(rec Record) error {
	n, err := chain.ParseNack(rec.Value)
	if err != nil || !l.m.blocks.Has(n.Block) {
		return errors.Join(err, errRecord)
	}
	l.m.keepNack(n, new(Effects))
	return nil
}

func (l *loading) person(rec Record) error {
	p, err := parsePapers(wire.NewReader(rec.Value))
	if err != nil || len(rec.Key) != 32 {
		return errors.Join(err, errRecord)
	}
	l.m.people[wire.PersonID(rec.Key)] = p
	return nil
}

func (l *loading) evidence(rec Record) error {
	e, err := parseEvidence(rec.Value)
	if err != nil || len(rec.Key) != 32 {
		return errors.Join(err, errRecord)
	}
	l.m.evidence[wire.DeviceID(rec.Key)] = e
	return nil
}
