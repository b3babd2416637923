package pake

import (
	"github.com/gtank/ristretto255"

	"kith/internal/wire"
)

// A secret is the scalar of one side in one run: y in the draft. The group is
// that of section 8.3, in constant time but for what is public.
type secret struct{ y ristretto255.Scalar }

// A share is an element as it is sent, or K, which never is.
type share [shareSize]byte

// newSecret is sample_scalar as section 8.3 recommends it: 252 random bits, which
// is less than the group's order.
func newSecret() secret {
	b := wire.Random(shareSize)
	defer clear(b)
	b[shareSize-1] &= 0x0f
	return secretOf(b)
}

// secretOf takes 32 bytes, little-endian, less than the order.
func secretOf(b []byte) secret {
	var s secret
	if _, err := s.y.SetCanonicalBytes(b); err != nil {
		panic(err)
	}
	return s
}

// generator is the last step of calculate_generator: it takes a SHA-512.
func generator(hash []byte) *ristretto255.Element {
	g, err := ristretto255.NewIdentityElement().SetUniformBytes(hash)
	if err != nil {
		panic(err)
	}
	return g
}

// times is scalar_mult.
func (s *secret) times(g *ristretto255.Element) share {
	return share(ristretto255.NewIdentityElement().ScalarMult(&s.y, g).Bytes())
}

// meet is scalar_mult_vfy: K, from the other side's share. It is false where the
// draft aborts: for bytes that encode no element, in the one form that each has,
// and for a K that is the identity.
func (s *secret) meet(theirs share) (share, bool) {
	point, err := ristretto255.NewIdentityElement().SetCanonicalBytes(theirs[:])
	if err != nil {
		return share{}, false
	}
	k := ristretto255.NewIdentityElement().ScalarMult(&s.y, point)
	defer forget(k)
	if k.Equal(ristretto255.NewIdentityElement()) == 1 {
		return share{}, false
	}
	encoded := k.Bytes()
	defer clear(encoded)
	return share(encoded), true
}

func (s *secret) erase() { s.y = ristretto255.Scalar{} }

func forget(e *ristretto255.Element) { e.Set(ristretto255.NewIdentityElement()) }
