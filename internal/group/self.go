package group

import (
	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/wire"
)

// suite is what new groups use.
const suite = mls.SuiteX25519AES128SHA256Ed25519

// Self is this device and the person it belongs to.
type Self struct {
	Device  *identity.Device
	Person  wire.PersonID
	Headers [][]byte // the person's chain
	Info    []byte   // preimage of the person's name
}

// Member names this device as blocks and leaves do.
func (s Self) Member() wire.Member { return wire.Member{Person: s.Person, Device: s.Device.ID()} }

// credential is the identity of a leaf's basic credential (RFC 9420 section
// 5.3): person[32], device[32].
func credential(m wire.Member) []byte { return append(m.Person[:], m.Device[:]...) }

// member reads a credential.
func member(identity []byte) (m wire.Member, ok bool) {
	if len(identity) != 64 {
		return m, false
	}
	copy(m.Person[:], identity)
	copy(m.Device[:], identity[32:])
	return m, true
}

// A Package is a key package of one's own (RFC 9420 section 10): Public goes to
// one friend, Secrets stay in the store until the package is used or expires.
type Package struct {
	Ref     [32]byte
	Public  []byte
	Secrets []byte
	Expiry  uint64 // s
}

// NewPackage makes a key package of this device; now is in ms.
func (s Self) NewPackage(now uint64) (Package, error) {
	kp, secrets, err := s.newPackage(now)
	if err != nil {
		return Package{}, err
	}
	_, expiry := kp.Lifetime()
	return Package{[32]byte(kp.Ref()), kp.Bytes(), secrets.Marshal(), expiry}, nil
}

func (s Self) newPackage(now uint64) (*mls.KeyPackage, *mls.KeyPackageSecrets, error) {
	seconds := now / 1000
	return mls.NewKeyPackage(s.Device, mls.KeyPackageParams{
		Suite:     suite,
		Identity:  credential(s.Member()),
		NotBefore: seconds - min(seconds, packageSlack),
		NotAfter:  seconds + packageLife,

		LeafExtensions: announced(),
	})
}

// CheckPackage reports whether b is a key package of from that can be used at
// now, in ms.
func CheckPackage(b []byte, from wire.Member, now uint64) error {
	_, err := usablePackage(b, from.Person, now)
	return err
}

func usablePackage(b []byte, person wire.PersonID, now uint64) (*mls.KeyPackage, error) {
	kp, err := mls.ParseKeyPackage(b)
	if err != nil {
		return nil, refuse(ReasonPackage, err)
	}
	if err := kp.Verify(now / 1000); err != nil {
		return nil, refuse(ReasonPackage, err)
	}
	m, ok := member(kp.Identity())
	if !ok || m.Person != person || m.Device != wire.Device(kp.SignatureKey()) || kp.Suite() != suite {
		return nil, refuse(ReasonPackage, nil)
	}
	return kp, nil
}

// PersonState checks a person's chain and returns its state and id.
func PersonState(headers [][]byte) (*chain.State, wire.PersonID, error) {
	var parsed []*chain.Header
	for _, b := range headers {
		h, err := chain.ParseHeader(b)
		if err != nil {
			return nil, wire.PersonID{}, err
		}
		parsed = append(parsed, h)
	}
	s, err := chain.VerifyProof(parsed)
	if err != nil {
		return nil, wire.PersonID{}, err
	}
	return s, wire.PersonID(parsed[0].Hash()), nil
}

// proof encodes a person's headers as the device proof that an op cites.
func proof(headers [][]byte) []byte {
	var w wire.Writer
	writeList(&w, headers)
	return w.Bytes()
}
