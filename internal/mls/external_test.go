package mls_test

import (
	"bytes"
	"errors"
	"testing"

	"kith/internal/mls"
)

func (d *device) info(inline bool) []byte {
	d.t.Helper()
	b, err := d.epoch.GroupInfo(d.key, nil, inline)
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

// follow lets others process the commit of a joiner from its bytes.
func follow(t *testing.T, s *mls.StagedCommit, others []*device) {
	t.Helper()
	c, err := mls.ParseExternalCommit(s.Commit.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range others {
		pub, _, err := o.epoch.Public().Apply(c)
		if err != nil {
			t.Fatal(err)
		}
		next, changes, err := o.epoch.Process(c)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes.Added) != 1 || changes.Added[0].Index != s.Next.OwnLeaf() || changes.Committer != s.Next.OwnLeaf() {
			t.Errorf("changes: %+v", changes)
		}
		if !bytes.Equal(pub.TreeHash(), next.Public().TreeHash()) {
			t.Error("public state differs")
		}
		o.enter(next)
	}
}

func TestJoinWithoutAWelcome(t *testing.T) {
	g := group(t, 4)
	dan := newDevice(t, "dan")
	s, err := mls.JoinExternal(mls.ExternalParams{GroupInfo: g[2].info(true), Signer: dan.key, Identity: []byte("dan"), AuthenticatedData: []byte("core")})
	if err != nil {
		t.Fatal(err)
	}
	if !s.Commit.External() || !s.Commit.HasPath() || s.Commit.Epoch() != 1 || !bytes.Equal(s.Commit.GroupID(), []byte("group")) ||
		!bytes.Equal(s.Commit.AuthenticatedData(), []byte("core")) || len(s.Commit.Proposals()) != 1 {
		t.Error("the commit says something else")
	}
	_, err = mls.ParseCommit(s.Commit.Bytes())
	reason(t, err, mls.ReasonSender)
	sealed, err := mls.SealExternal(s.Commit)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := g[3].epoch.Open(nil, sealed); err != nil || !h.Commit.External() {
		t.Errorf("opening the message: %v", err)
	}
	follow(t, s, g)
	dan.enter(s.Next)
	all := append(g, dan)
	agree(t, all)
	for _, d := range all {
		talk(t, all, d)
	}
	next := dan.commit(mls.CommitParams{Remove: []uint32{0}})
	dan.take(next, all[1:])
	agree(t, all[1:])
}

func TestComeBackWithoutSecrets(t *testing.T) {
	g := group(t, 5)
	ben := g[1]
	tree := g[0].epoch.Public().RatchetTree()
	p := mls.ExternalParams{
		GroupInfo: g[0].info(false), Tree: tree, Signer: ben.key, Identity: []byte(ben.name), Replaces: []uint32{1},
	}
	s, err := mls.JoinExternal(p)
	if err != nil {
		t.Fatal(err)
	}
	if s.Next.OwnLeaf() != 1 {
		t.Errorf("came back at leaf %d", s.Next.OwnLeaf())
	}
	follow(t, s, []*device{g[0], g[2], g[3], g[4]})
	// The old self learns that it was replaced.
	if _, _, err := ben.epoch.Process(s.Commit); !errors.Is(err, mls.ErrRemoved) {
		t.Errorf("old self: %v", err)
	}
	ben.enter(s.Next)
	agree(t, g)
	talk(t, g, ben)

	p.GroupInfo, p.Tree = g[0].info(true), nil
	for what, c := range map[string]struct {
		replaces []uint32
		want     mls.Reason
	}{
		"signature key in use": {nil, mls.ReasonDuplicateKey},
		"two leaves replaced":  {[]uint32{1, 2}, mls.ReasonProposalType},
		"no such leaf":         {[]uint32{9}, mls.ReasonNoLeaf},
	} {
		p.Replaces = c.replaces
		_, err := mls.JoinExternal(p)
		t.Log(what)
		reason(t, err, c.want)
	}
	p.GroupInfo[len(p.GroupInfo)-1] ^= 1
	_, err = mls.JoinExternal(p)
	reason(t, err, mls.ReasonSignature)
}

// TestReplaceTheOnlyMember: the tree is blank all over for a moment, whatever
// its height was, and the joiner takes leaf 0.
func TestReplaceTheOnlyMember(t *testing.T) {
	for _, n := range []int{1, 2, 4, 5, 9} {
		g := group(t, n)
		last := g[n-1]
		var others []uint32
		for i := range n - 1 {
			others = append(others, uint32(i))
		}
		last.take(last.commit(mls.CommitParams{Remove: others}), nil)
		s, err := mls.JoinExternal(mls.ExternalParams{
			GroupInfo: last.info(true), Signer: last.key, Identity: []byte(last.name), Replaces: []uint32{last.epoch.OwnLeaf()},
		})
		if err != nil {
			t.Fatalf("%d members: %v", n, err)
		}
		pub, _, err := last.epoch.Public().Apply(s.Commit)
		if err != nil || !bytes.Equal(pub.Marshal(), s.Next.Public().Marshal()) {
			t.Errorf("%d members: public state differs: %v", n, err)
		}
		if s.Next.OwnLeaf() != 0 || pub.Members() != 1 {
			t.Errorf("%d members: %d, at leaf %d", n, pub.Members(), s.Next.OwnLeaf())
		}
		if _, err := mls.ParsePublicGroup(pub.Marshal()); err != nil {
			t.Errorf("%d members: %v", n, err)
		}
		dan := newDevice(t, "dan")
		last.enter(s.Next)
		last.add(nil, []*device{dan})
		agree(t, []*device{last, dan})
	}
}
