package mls_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"kith/internal/mls"
)

// A crowd is a group that lives a random life.
type crowd struct {
	t      *testing.T
	suite  mls.Suite
	rnd    *rand.Rand
	in     []*device
	past   map[*device][]*mls.Epoch // for resumption keys
	psks   map[string][]byte
	joined int
	most   int
}

// TestRandomLife plays a group through random adds, updates, removes, leaves,
// external joins, pre-shared keys and new extensions, by value and by
// reference, in the clear and private. All members agree on every epoch
// authenticator, some are restored from storage on the way, and a follower
// without secrets sees the same. MLS_EPOCHS=500 plays the whole length.
func TestRandomLife(t *testing.T) {
	epochs, most := 60, 16
	if os.Getenv("MLS_EPOCHS") == "500" {
		epochs, most = 500, 50
	}
	for _, s := range []mls.Suite{1, 0xF001} {
		t.Run(fmt.Sprintf("%#x", uint16(s)), func(t *testing.T) {
			c := &crowd{
				t: t, suite: s, rnd: rand.New(rand.NewPCG(9420, uint64(s))), most: most,
				past: make(map[*device][]*mls.Epoch), psks: map[string][]byte{"k": []byte("shared before")},
			}
			first := c.arrive()
			first.create("random life")
			c.in = []*device{first}
			public := first.epoch.Public()
			largest := 0
			for range epochs {
				public = c.epoch(public)
				largest = max(largest, len(c.in))
			}
			t.Logf("%d epochs, up to %d members, %d at the end", epochs, largest, len(c.in))
			if largest < most-1 {
				t.Errorf("never more than %d members", largest)
			}
		})
	}
}

func (c *crowd) arrive() *device {
	c.joined++
	d := newDeviceOf(c.t, c.suite, fmt.Sprint("member ", c.joined))
	d.params.ExtensionTypes = []uint16{0xF0F0}
	d.renew()
	return d
}

func (c *crowd) any() *device { return c.in[c.rnd.IntN(len(c.in))] }

// epoch plays one, and returns what the follower sees.
func (c *crowd) epoch(public *mls.PublicGroup) *mls.PublicGroup {
	c.t.Helper()
	if len(c.in) < c.most && c.rnd.IntN(8) == 0 {
		return c.joinAlone(public)
	}
	private := c.rnd.IntN(2) == 0
	by := c.any()
	in := mls.Inputs{PSKs: mls.PSKs{External: c.psks}}
	gone := make(map[*device]bool)
	var newcomers []*device
	busy := c.propose(by, private, &in, gone, &newcomers)
	p := mls.CommitParams{Signer: by.key, Refs: in.Proposals, Private: private, PSKs: in.PSKs}
	for len(c.in)+len(newcomers) < c.most && c.rnd.IntN(2) == 0 {
		d := c.arrive()
		newcomers = append(newcomers, d)
		p.Add = append(p.Add, d.pack)
	}
	for _, d := range c.in {
		if !busy[d] && len(c.in)-len(gone) > 2 && c.rnd.IntN(4*c.most) == 0 {
			gone[d] = true
			p.Remove = append(p.Remove, d.epoch.OwnLeaf())
		}
	}
	if c.rnd.IntN(5) == 0 {
		x := []mls.Extension{{Type: 0xF0F0, Data: []byte{byte(c.rnd.IntN(256))}}}
		p.Proposals = append(p.Proposals, &mls.Proposal{Type: mls.ProposalGroupContextExtensions, Extensions: x})
	}
	p.NoPath = c.rnd.IntN(3) == 0
	s, err := by.epoch.Commit(p)
	if err != nil {
		c.t.Fatalf("epoch %d: %v", public.Epoch(), err)
	}
	b := must[[]byte](c.t)(by.epoch.Seal(by.keys, &mls.Handshake{Commit: s.Commit}, c.rnd.IntN(50)))
	next, _, err := public.ApplyWith(s.Commit, in.Proposals)
	if err != nil {
		c.t.Fatal(err)
	}
	c.follow(by, s, b, in, gone)
	if len(newcomers) > 0 {
		w := must[[]byte](c.t)(s.Welcome(by.key, nil, c.rnd.IntN(2) == 0))
		for _, d := range newcomers {
			e, _, err := mls.JoinWith(w, d.pack, d.secret, s.Next.Public().RatchetTree(), in.PSKs)
			if err != nil {
				c.t.Fatalf("epoch %d: %s: %v", public.Epoch(), d.name, err)
			}
			d.enter(e)
		}
		c.in = append(c.in, newcomers...)
	}
	c.settle(next)
	return next
}

// propose sends proposals of some members, and returns those who have spoken:
// a leaf has one Update or Remove at most.
func (c *crowd) propose(by *device, private bool, in *mls.Inputs, gone map[*device]bool, newcomers *[]*device) map[*device]bool {
	used := map[*device]bool{by: true}
	for range c.rnd.IntN(3) {
		d := c.any()
		if used[d] {
			continue
		}
		used[d] = true
		params := mls.ProposalParams{Signer: d.key, Private: private}
		var p *mls.Proposed
		var u *mls.UpdateSecret
		var err error
		switch c.rnd.IntN(4) {
		case 0:
			p, u, err = d.epoch.ProposeUpdate(params)
			in.Updates = append(in.Updates, u)
		case 1:
			if len(c.in)-len(gone) < 4 {
				continue
			}
			params.Private = false
			p, err = d.epoch.ProposeSelfRemove(params)
			gone[d] = true
		case 2:
			if len(c.in)+len(*newcomers) >= c.most {
				continue
			}
			x := c.arrive()
			*newcomers = append(*newcomers, x)
			p, err = d.epoch.ProposeAdd(x.pack, params)
		case 3:
			key, _ := mls.ExternalPSK(c.suite, []byte("k"))
			p, err = d.epoch.Propose(key, params)
		}
		if err != nil {
			c.t.Fatal(err)
		}
		in.Proposals = append(in.Proposals, d.tell(p, c.in))
	}
	return used
}

// follow lets the members process a commit.
func (c *crowd) follow(by *device, s *mls.StagedCommit, message []byte, in mls.Inputs, gone map[*device]bool) {
	for _, d := range c.in {
		if d == by {
			continue
		}
		h, err := d.epoch.Open(d.keys, message)
		if err != nil {
			c.t.Fatalf("%s: %v", d.name, err)
		}
		next, _, err := d.epoch.ProcessWith(h.Commit, in)
		if gone[d] {
			if !errors.Is(err, mls.ErrRemoved) {
				c.t.Fatalf("%s was removed and got %v", d.name, err)
			}
			continue
		}
		if err != nil {
			c.t.Fatalf("epoch %d: %s: %v", s.Commit.Epoch(), d.name, err)
		}
		d.enter(next)
	}
	by.enter(s.Next)
	c.in = slices.DeleteFunc(c.in, func(d *device) bool { return gone[d] })
}

// joinAlone is an external commit, sometimes one that replaces an old self.
func (c *crowd) joinAlone(public *mls.PublicGroup) *mls.PublicGroup {
	c.t.Helper()
	from := c.any()
	d := c.arrive()
	p := mls.ExternalParams{Signer: d.key, Identity: []byte(d.name), ExtensionTypes: []uint16{0xF0F0}}
	gone := make(map[*device]bool)
	if old := c.any(); old != from && c.rnd.IntN(2) == 0 {
		gone[old] = true
		p.Replaces = []uint32{old.epoch.OwnLeaf()}
	}
	p.GroupInfo = from.info(true)
	s, err := mls.JoinExternal(p)
	if err != nil {
		c.t.Fatal(err)
	}
	b := must[[]byte](c.t)(mls.SealExternal(s.Commit))
	next, _, err := public.Apply(s.Commit)
	if err != nil {
		c.t.Fatal(err)
	}
	c.follow(d, s, b, mls.Inputs{}, gone)
	c.in = append(c.in, d)
	c.settle(next)
	return next
}

// settle checks that all agree, restores one and sends a message.
func (c *crowd) settle(public *mls.PublicGroup) {
	c.t.Helper()
	agree(c.t, c.in)
	if string(public.TreeHash()) != string(c.in[0].epoch.Public().TreeHash()) {
		c.t.Fatal("the follower sees another tree")
	}
	restore(c.t, c.any())
	if c.rnd.IntN(10) == 0 {
		talk(c.t, c.in, c.any())
	}
}
