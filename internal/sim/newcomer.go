package sim

import (
	"slices"

	"kith/internal/group"
	"kith/internal/mls"
)

// What others hold of a node to let it into a group.

// Newcomer is what a friend of n holds of it, with a fresh key package for a new
// group.
func (n *Node) Newcomer() group.Newcomer { return n.NewcomerFor(group.NewSuite) }

// NewcomerFor is Newcomer for a group of another suite.
func (n *Node) NewcomerFor(suite mls.Suite) group.Newcomer {
	p, err := n.Self.NewPackage(suite, n.now())
	return n.newcomer(p, err)
}

// OldNewcomer is NewcomerFor of a program that announces nothing.
func (n *Node) OldNewcomer(suite mls.Suite) group.Newcomer {
	me := n.Self.Member()
	seconds := n.now() / 1000
	kp, secrets, err := mls.NewKeyPackage(n.Self.Device, mls.KeyPackageParams{
		Suite: suite, Identity: slices.Concat(me.Person[:], me.Device[:]), NotBefore: seconds - 3600, NotAfter: seconds + 24*3600,
	})
	if err != nil {
		panic(err)
	}
	_, expiry := kp.Lifetime()
	return n.newcomer(group.Package{
		Suite: kp.Suite(), Ref: [32]byte(kp.Ref()), Public: kp.Bytes(), Secrets: secrets.Marshal(), Expiry: expiry,
	}, nil)
}

// LastResort is NewcomerFor with the package that n gives to everybody.
func (n *Node) LastResort(suite mls.Suite) group.Newcomer {
	p, ok := n.resort[suite]
	var err error
	if !ok {
		p, err = n.Self.NewLastResort(suite, n.now())
		n.resort[suite] = p
	}
	return n.newcomer(p, err)
}

func (n *Node) newcomer(p group.Package, err error) group.Newcomer {
	if err != nil {
		panic(err)
	}
	n.packages[p.Ref] = p
	return group.Newcomer{
		Person: n.Self.Person, Headers: n.Self.Headers, Info: n.Self.Info,
		KnockKey: n.Self.Device.KnockKey(), KeyPackage: p.Public,
	}
}
