package group

import (
	"errors"
	"slices"

	"kith/internal/mls"
	"kith/internal/wire"
)

// NewSuite is what new groups and new persons use: post-quantum.
const NewSuite = mls.SuiteXWingAES128SHA256Ed25519

// Suites are those of the groups that people have, that of new ones first:
// groups made before there was a post-quantum suite keep the first one.
func Suites() []mls.Suite { return []mls.Suite{NewSuite, mls.SuiteX25519AES128SHA256Ed25519} }

// A Package is a key package of one's own (RFC 9420 section 10): Public goes to
// one friend, or as a last resort to all of them; Secrets stay in the store
// until the package is used or expires.
type Package struct {
	Suite   mls.Suite
	Ref     [32]byte
	Public  []byte
	Secrets []byte
	Expiry  uint64 // s
}

// NewPackage makes a key package of this device that opens one Welcome; now is
// in ms.
func (s Self) NewPackage(suite mls.Suite, now uint64) (Package, error) {
	return s.offer(suite, false, now)
}

// NewLastResort makes one that may be used more than once, by whoever has no
// other.
func (s Self) NewLastResort(suite mls.Suite, now uint64) (Package, error) {
	return s.offer(suite, true, now)
}

func (s Self) offer(suite mls.Suite, lastResort bool, now uint64) (Package, error) {
	kp, secrets, err := s.newPackage(suite, lastResort, now)
	if err != nil {
		return Package{}, err
	}
	defer secrets.Erase()
	_, expiry := kp.Lifetime()
	return Package{suite, [32]byte(kp.Ref()), kp.Bytes(), secrets.Marshal(), expiry}, nil
}

func (s Self) newPackage(suite mls.Suite, lastResort bool, now uint64) (*mls.KeyPackage, *mls.KeyPackageSecrets, error) {
	seconds := now / 1000
	return mls.NewKeyPackage(s.Device, mls.KeyPackageParams{
		Suite:      suite,
		Identity:   credential(s.Member()),
		NotBefore:  seconds - min(seconds, packageSlack),
		NotAfter:   seconds + packageLife,
		LastResort: lastResort,

		LeafExtensions: s.announced(),
	})
}

var errLifetime = errors.New("group: a key package of too long a lifetime")

// CheckPackage returns b if it is a key package of from, of a suite that groups
// use, and can be used at now, in ms.
func CheckPackage(b []byte, from wire.Member, now uint64) (*mls.KeyPackage, error) {
	if len(b) > maxKeyPackage {
		return nil, refuse(ReasonPackage, errBound)
	}
	kp, err := mls.ParseKeyPackage(b)
	if err != nil {
		return nil, refuse(ReasonPackage, err)
	}
	if !slices.Contains(Suites(), kp.Suite()) {
		return nil, refuse(ReasonPackage, ErrSuite)
	}
	if err := kp.Verify(now / 1000); err != nil {
		return nil, refuse(ReasonPackage, err)
	}
	if begin, end := kp.Lifetime(); end-begin > maxPackageLife {
		return nil, refuse(ReasonPackage, errLifetime)
	}
	m, ok := member(kp.Identity())
	if !ok || m != from || m.Device != wire.Device(kp.SignatureKey()) {
		return nil, refuse(ReasonPackage, nil)
	}
	return kp, nil
}

// A Use is the opening of a block's Welcome with an own key package.
type Use struct {
	Ref           [32]byte
	Block, Parent wire.BlockHash // Parent is zero if Block is a genesis
	By            wire.PersonID  // whose block lets this device in; zero: one that starts the keys anew
}

// Follows reports whether a package that was used before may be used again. A
// last resort may, for another block; any other for a sibling of the block, since
// one of the two has lost, or will.
func (u Use) Follows(before Use, lastResort bool) bool {
	sibling := u.Parent == before.Parent && u.Parent != (wire.BlockHash{})
	return u.Ref == before.Ref && u.Block != before.Block && (lastResort || sibling)
}

// Secrets finds the private part of one of this device's own key packages, if it
// may be used so.
type Secrets func(Use) ([]byte, bool)

// usablePackage returns the key package of a device of somebody who is added to a
// group of the suite.
func usablePackage(person wire.PersonID, b []byte, suite mls.Suite, now uint64) (*mls.KeyPackage, error) {
	kp, err := mls.ParseKeyPackage(b)
	if err != nil {
		return nil, refuse(ReasonPackage, err)
	}
	from := wire.Member{Person: person, Device: wire.Device(kp.SignatureKey())}
	if kp, err = CheckPackage(b, from, now); err != nil {
		return nil, err
	}
	if kp.Suite() != suite {
		return nil, refuse(ReasonPackage, ErrSuite)
	}
	return kp, nil
}
