package mls

import "kith/internal/wire"

// PSK types and usages of RFC 9420 section 8.4.
const (
	pskExternal   = 1
	pskResumption = 2

	usageApplication = 1
	usageReInit      = 2
	usageBranch      = 3
)

// pskID is PreSharedKeyID of section 8.4:
//
//	size field
//	1    psktype: 1 external, 2 resumption
//	V    external: psk_id
//	1    resumption: usage 1 application, 2 reinit, 3 branch;
//	     then V psk_group_id and 8 psk_epoch
//	V    psk_nonce, KDF.Nh bytes
type pskID struct {
	kind    uint8
	id      []byte
	usage   uint8
	groupID []byte
	epoch   uint64
	nonce   []byte
}

func (p *pskID) write(w *wire.Writer) {
	w.U8(p.kind)
	if p.kind == pskExternal {
		w.Vec(p.id)
	} else {
		w.U8(p.usage)
		w.Vec(p.groupID)
		w.U64(p.epoch)
	}
	w.Vec(p.nonce)
}

func readPSKID(r *wire.Reader) pskID {
	p := pskID{kind: r.U8()}
	switch p.kind {
	case pskExternal:
		p.id = r.Vec(maxPSKID)
	case pskResumption:
		p.usage = r.U8()
		if p.usage < usageApplication || p.usage > usageBranch {
			r.Fail(wire.ErrCanonical)
		}
		p.groupID = r.Vec(MaxGroupID)
		p.epoch = r.U64()
	default:
		r.Fail(wire.ErrCanonical)
	}
	p.nonce = r.Vec(maxHash)
	return p
}

// PSKs holds the pre-shared keys at hand: external ones by their psk_id.
// Resumption keys are found among the epochs given.
type PSKs struct {
	External map[string][]byte
	Epochs   []*Epoch
}

// find returns the key an id names. Which usages are allowed is decided by
// checkPSK for a commit and by checkLinks for a Welcome.
func (p PSKs) find(c *crypto, id *pskID) ([]byte, error) {
	if len(id.nonce) != c.nh {
		return nil, reject("12.1.4", ReasonPSK)
	}
	if id.kind == pskExternal {
		if secret, ok := p.External[string(id.id)]; ok {
			return secret, nil
		}
		return nil, reject("8.4", ReasonPSK)
	}
	if e := p.epoch(id); e != nil {
		return e.secrets.resumption, nil
	}
	return nil, reject("8.4", ReasonPSK)
}

// epoch is the one whose resumption key an id names, nil if it is not at hand.
func (p PSKs) epoch(id *pskID) *Epoch {
	for _, e := range p.Epochs {
		if string(e.pub.groupID) == string(id.groupID) && e.pub.epoch == id.epoch {
			return e
		}
	}
	return nil
}

// secret is psk_secret over the ids in their order (section 8.4).
func (p PSKs) secret(c *crypto, ids []pskID) ([]byte, error) {
	secrets := make([][]byte, len(ids))
	for i := range ids {
		var err error
		if secrets[i], err = p.find(c, &ids[i]); err != nil {
			return nil, err
		}
	}
	return c.pskSecret(ids, secrets), nil
}

func (c *crypto) pskSecret(ids []pskID, secrets [][]byte) []byte {
	out := c.zero()
	for i := range ids {
		label := encode(func(w *wire.Writer) {
			ids[i].write(w)
			w.U16(uint16(i))
			w.U16(uint16(len(ids)))
		})
		input := c.expandLabel(c.extract(c.zero(), secrets[i]), "derived psk", label, c.nh)
		out = c.extract(input, out)
	}
	return out
}
