package chain

import (
	"bytes"
	"slices"

	"kith/internal/wire"
)

// SetPolicy changes what the group allows, who votes, and which features it
// uses; at least one of them.
type SetPolicy struct {
	Policy     *Policy         // nil: stays
	Electorate []wire.PersonID // ascending; empty: stays
	Features   []uint16        // added, ascending
}

// FeatureNothing is a feature that changes nothing. Every program knows it, so
// that activating one is exercised before it matters.
const FeatureNothing uint16 = 0x0A0A

// Knows reports whether this version reads what feature f brings.
func Knows(f uint16) bool { return f == FeatureNothing }

// Kind returns the number of the op.
func (*SetPolicy) Kind() Kind { return KindSetPolicy }

// The content of a SetPolicy (docs/spec/chain.md):
//
//	optional Policy, person electorate[32]<V>, u16 features<V>
func (op *SetPolicy) encode(w *wire.Writer) {
	w.Bool(op.Policy != nil)
	if op.Policy != nil {
		op.Policy.encode(w)
	}
	w.Group(func(w *wire.Writer) {
		for _, id := range op.Electorate {
			w.Raw(id[:])
		}
	})
	encodeFeatures(w, op.Features)
}

func decodeSetPolicy(r *wire.Reader) *SetPolicy {
	op := new(SetPolicy)
	if r.Bool() {
		p := decodePolicy(r)
		op.Policy = &p
	}
	r.Each(32*MaxVoters, MaxVoters, func(r *wire.Reader) {
		var id wire.PersonID
		r.Fixed(id[:])
		if n := len(op.Electorate); n > 0 && bytes.Compare(op.Electorate[n-1][:], id[:]) >= 0 {
			r.Fail(wire.ErrCanonical)
		}
		op.Electorate = append(op.Electorate, id)
	})
	op.Features = decodeFeatures(r)
	return op
}

func (c *change) setPolicy(op *SetPolicy) error {
	before := *c.State
	if op.Policy != nil {
		if op.Policy.Direct != c.policy.Direct {
			return c.refuse("V4", ReasonDirect)
		}
		if *op.Policy == c.policy {
			return c.refuse("V5", ReasonNoChange)
		}
		c.policy = *op.Policy
	}
	for _, id := range op.Electorate {
		if m, ok := c.Person(id); !ok || m.Status == StatusRemoved {
			return c.refuse("V5", ReasonNotMember)
		}
	}
	if len(op.Electorate) > 0 {
		if slices.Equal(op.Electorate, c.electorate) {
			return c.refuse("V5", ReasonNoChange)
		}
		c.electorate = slices.Clone(op.Electorate)
	}
	if err := c.addFeatures(op.Features); err != nil {
		return err
	}
	if c.policy == before.policy && len(op.Electorate)+len(op.Features) == 0 {
		return c.refuse("V5", ReasonNoChange)
	}
	c.changed = true
	return nil
}

// addFeatures is V8: the list grows, and never shrinks. Whether every leaf
// announces it is the business of package group.
func (c *change) addFeatures(list []uint16) error {
	if len(c.features)+len(list) > MaxFeatures {
		return c.refuse("V8", ReasonFeature)
	}
	for i, f := range list {
		if i > 0 && list[i-1] >= f || slices.Contains(c.features, f) {
			return c.refuse("V8", ReasonFeature)
		}
	}
	for _, f := range list {
		if !Knows(f) {
			return ErrNewer
		}
	}
	if len(list) > 0 {
		c.features = slices.Sorted(slices.Values(append(slices.Clone(c.features), list...)))
	}
	return nil
}
