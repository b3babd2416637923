package chain

import (
	"maps"
	"slices"

	"kith/internal/identity"
	"kith/internal/wire"
)

// Names in a record. A block commits to a title in its op, and to the name of a
// person through the person's own headers, which the op that admits the person
// cites: so both are checked, and none can be put in that no block commits to.

// Name puts in who is called what, as far as infos, by commitment, say it. The
// blocks are those of the record, with their bodies.
func (r *Record) Name(b *Blocks, infos map[wire.Digest][]byte) {
	n := namer{infos: infos, known: make(map[wire.Digest]identity.Info), proofs: r.proofs()}
	for _, hash := range b.All() {
		cited := b.Body(hash).Attachments
		for _, op := range b.Header(hash).Ops {
			n.take(committed(op))
			if admitted(op) != (wire.PersonID{}) {
				n.prove(cited[0])
			}
			cited = cited[len(Cites(op)):]
		}
	}
	r.putProofs(n.proofs)
	for _, d := range slices.SortedFunc(maps.Keys(n.known), compareDigests) {
		r.Infos = append(r.Infos, n.known[d])
	}
}

// A namer gathers what a record says of names.
type namer struct {
	infos  map[wire.Digest][]byte
	known  map[wire.Digest]identity.Info
	proofs map[wire.Digest][]*Header // by citation
}

// take reports whether what is behind a commitment is known.
func (n *namer) take(d wire.Digest) bool {
	info, err := identity.ParseInfo(n.infos[d])
	if err == nil {
		n.known[d] = info
	}
	return err == nil
}

// prove takes a person's proof if the name it commits to is known.
func (n *namer) prove(attachment []byte) {
	headers, err := ParseProof(attachment)
	if err != nil {
		return
	}
	if s, err := VerifyProof(headers); err == nil && n.take(s.info) {
		n.proofs[Cite(attachment)] = headers
	}
}

// admitted returns whom op admits by a proof, its first citation; zero: nobody.
func admitted(op Op) wire.PersonID {
	switch op := op.(type) {
	case *Genesis:
		return op.Creator
	case *Add:
		return op.Person
	}
	return wire.PersonID{}
}

// committed returns the commitment to a title in op; zero: none.
func committed(op Op) wire.Digest {
	switch op := op.(type) {
	case *Genesis:
		return op.Info
	case *SetInfo:
		return op.Info
	}
	return wire.Digest{}
}

// Name returns what a person was called when it was last admitted; empty if the
// record does not say.
func (v *Verified) Name(p wire.PersonID) string { return v.infos[v.names[p]] }

// Text returns the name or title behind a commitment; empty if the record does
// not say.
func (v *Verified) Text(info wire.Digest) string { return v.infos[info] }

// takeNames finds who is called what. Each proof must be cited by an op that
// admits or names its person; each name or title committed to in a block or in a proof.
func (v *Verified) takeNames(r *Record) error {
	cited := r.proofs()
	known, used := make(map[wire.Digest]bool), make(map[wire.Digest]bool)
	for _, hash := range append(v.Blocks.All(), v.Chain()...) { // the chain has the last word
		for _, op := range v.Blocks.Header(hash).Ops {
			known[committed(op)] = true
			person, at := tells(op)
			if person == (wire.PersonID{}) || cited[Cites(op)[at]] == nil {
				continue
			}
			proof := cited[Cites(op)[at]]
			s, err := VerifyProof(proof)
			if err != nil || wire.PersonID(proof[0].Hash()) != person {
				return &RecordError{RecordStray, err}
			}
			used[Cites(op)[at]] = true
			if admitted(op) != (wire.PersonID{}) {
				v.names[person], known[s.info] = s.info, true
			}
		}
	}
	if len(used) < len(cited) {
		return &RecordError{RecordStray, nil}
	}
	for _, i := range r.Infos {
		if !known[i.Commit()] {
			return &RecordError{RecordStray, nil}
		}
		v.infos[i.Commit()] = i.Name
	}
	return nil
}
