package peer

import (
	"crypto/ed25519"
	"fmt"

	"kith/internal/identity"
	"kith/internal/wire"
)

// A Request is what came over a contact link, or answers it: a card and the
// device that proved to be one of that person's. It is checked.
type Request struct {
	Card   Card
	Person Person
	Member wire.Member
	Key    ed25519.PublicKey
}

// vouched is what a device signs in a request (label "request") and in its
// answer (label "request answer"):
//
//	offset size field
//	0      32   person it is meant for
//	32     32   binding of the connection
func vouched(to wire.PersonID, binding [32]byte) []byte {
	return append(to[:], binding[:]...)
}

// seal makes the content of a request or its answer.
//
//	offset size field
//	0      var  card<V>
//	+0     32   device that signs
//	+32    64   signature
//	+96    var  zero, up to the next multiple of 4096 bytes
func seal(d *identity.Device, label wire.Label, own Card, to wire.PersonID, binding [32]byte) ([]byte, error) {
	card, err := own.Marshal()
	if err != nil {
		return nil, err
	}
	id := d.ID()
	var w wire.Writer
	w.Vec(card)
	w.Raw(id[:])
	w.Raw(d.Sign(label, vouched(to, binding)))
	return append(w.Bytes(), make([]byte, padding(w.Len()))...), nil
}

// padding is how many zero bytes follow n bytes of content.
func padding(n int) int { return (sealedUnit - n%sealedUnit) % sealedUnit }

// sealedContent is a parsed, unchecked content.
type sealedContent struct {
	card      Card
	device    wire.DeviceID
	signature []byte
}

func parseSealed(b []byte) (sealedContent, error) {
	var s sealedContent
	r := wire.NewReader(b)
	raw := r.Vec(MaxCard)
	r.Fixed(s.device[:])
	s.signature = r.Raw(wire.SignatureSize)
	n := len(b) - r.Len()
	for _, zero := range r.Raw(padding(n)) {
		if zero != 0 {
			r.Fail(wire.ErrCanonical)
		}
	}
	if err := r.Done(); err != nil {
		return sealedContent{}, fmt.Errorf("%w: %w", ErrCard, err)
	}
	var err error
	s.card, err = ParseCard(raw)
	return s, err
}

// open checks a content that was meant for to on the connection with binding.
func open(content []byte, label wire.Label, to wire.PersonID, binding [32]byte) (Request, error) {
	s, err := parseSealed(content)
	if err != nil {
		return Request{}, err
	}
	person, key, err := s.card.Check(s.device)
	if err != nil {
		return Request{}, err
	}
	if !wire.Verify(key, label, vouched(to, binding), s.signature) {
		return Request{}, fmt.Errorf("%w: the signature is not the device's", ErrCard)
	}
	return Request{
		Card: s.card, Person: person, Key: key,
		Member: wire.Member{Person: person.ID, Device: s.device},
	}, nil
}
