package pake

// GeneratorString is generatorString, for the vectors.
var GeneratorString = generatorString

// StartWith is Start with the secret y.
func StartWith(in Input, y []byte) (*Initiator, []byte, error) { return start(in, secretOf(y)) }

// RespondWith is Respond with the secret y.
func RespondWith(in Input, y, theirs, adA, adB []byte) (*Responder, []byte, error) {
	return respond(in, secretOf(y), theirs, adA, adB)
}

// Meet is K of a secret and a share.
func Meet(y []byte, theirs [32]byte) ([32]byte, bool) {
	s := secretOf(y)
	k, ok := s.meet(theirs)
	return k, ok
}

// Generator is the element that a SHA-512 of a generator string makes.
func Generator(hash []byte) []byte { return generator(hash).Bytes() }

// ISK is the intermediate session key in k.
func (k Key) ISK() []byte { return k.isk()[:] }

// Left are the secrets that the run still holds.
func (i *Initiator) Left() []byte { return i.run().y.y.Bytes() }

// Left are the secrets that the run still holds.
func (r *Responder) Left() []byte { return append(r.run().isk[:], r.run().tagA[:]...) }
