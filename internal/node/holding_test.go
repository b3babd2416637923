package node_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/node"
	"kith/internal/peer"
	"kith/internal/wire"
)

// own returns what was said beside the groups from the n-th message on.
func (l *listener) own(from int) (list [][]byte) {
	_, all := l.all()
	for _, m := range all[from:] {
		if m.channel == [32]byte{} {
			list = append(list, m.payload)
		}
	}
	return list
}

func (l *listener) count() int {
	_, all := l.all()
	return len(all)
}

func has(list [][]byte, number byte) bool {
	return slices.ContainsFunc(list, func(b []byte) bool { return b[0] == number })
}

// TestToldOnce: in a later session friends tell each other of their person chains
// what the other lacks alone.
func TestToldOnce(t *testing.T) {
	t.Parallel()
	heard := new(listener)
	cfg := func() node.Config {
		return node.Config{Home: t.TempDir(), Tap: heard.frame, TapMessage: heard.message}
	}
	ann, ben := startWith(t, "Ann", cfg()), startWith(t, "Ben", cfg())
	befriend(t, ann, ben)
	ann.knows(ben)
	ben.knows(ann)
	g := ann.chatWith(ben)
	meet := func(text string) (said [][]byte) {
		t.Helper()
		before := heard.count()
		ben = ben.again()
		ben.until("Ann", func() bool { return ben.connected(g, ann) })
		ben.say(g, text)
		ann.until("it came", func() bool { return slices.Contains(ann.texts(g), text) })
		ann.until("both have said what they hold", func() bool {
			said = heard.own(before)
			return len(slices.DeleteFunc(slices.Clone(said), func(b []byte) bool { return b[0] != 4 })) == 2
		})
		return said
	}
	ben.stop()
	size := 0
	for _, b := range meet("nothing is new") {
		if size += len(b); b[0] == 3 || b[0] == 5 {
			t.Errorf("number %d is said again, with %d bytes", b[0], len(b))
		}
	}
	if size > 1000 {
		t.Errorf("%d bytes were said beside the groups", size)
	}

	ben.stop()
	must(t, ann.RenewNow())
	_, headers, resorts := ann.OwnNews()
	said := meet("Ann has new packages")
	ben.knows(ann)
	if _, kept := ben.Kept(ann.id()); !slices.EqualFunc(kept, resorts, bytes.Equal) {
		t.Error("Ben has not got the new packages")
	}
	said = heard.own(0)[len(heard.own(0))-len(said):]
	if has(said, 3) || !slices.ContainsFunc(said, func(b []byte) bool {
		return b[0] == 5 && bytes.Contains(b, headers[2]) && !bytes.Contains(b, headers[1])
	}) {
		t.Error("Ben is told more than what he lacks")
	}
	ann.until("nobody has broken a rule", func() bool { return ann.logged("peer broke a rule")+ben.logged("peer broke a rule") == 0 })
}

// TestHoldingOfOthers: who does not say that it reads it is told all; who says it is
// told what it claims to lack, and once: a liar harms itself alone.
func TestHoldingOfOthers(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	info, headers, resorts := ann.OwnNews()
	all := node.PersonNews(info, headers, resorts)
	since := node.PersonNewsSince(wire.BlockHash(wire.Hash(wire.HashBlock, headers[0])), info, headers[1:], resorts)
	for name, c := range map[string]struct{ hello, holding, want []byte }{
		"a program from before":     {hello: node.Hello(nil, nil, true, 9), want: all},
		"holds nothing":             {node.HelloHolding(nil, nil, 9), node.Holding(info, nil, nil), all},
		"holds something unknown":   {node.HelloHolding(nil, nil, 9), node.Holding(info, [][]byte{{1}}, nil), all},
		"holds genesis":             {node.HelloHolding(nil, nil, 9), node.Holding(info, headers[:1], nil), since},
		"claims to hold everything": {hello: node.HelloHolding(nil, nil, 9), holding: node.Holding(info, headers, resorts)},
	} {
		t.Run(name, func(t *testing.T) {
			m := befriended(t, ann)
			kp, err := m.packages(8)
			must(t, err)
			must(t, m.session.Send(peer.Message{Payload: kp})) // so that Ann's hello has the bit
			m.hears(t, func(b []byte) bool { return b[0] == 1 })
			must(t, m.session.Send(peer.Message{Payload: c.hello}))
			var told [][]byte
			until := func(is func(b []byte) bool) {
				m.hears(t, func(b []byte) bool {
					if b[0] == 3 || b[0] == 5 {
						told = append(told, b)
					}
					return is(b)
				})
			}
			until(func(b []byte) bool { return b[0] == 1 && b[len(b)-1]&0xc0 == 0xc0 })
			for range 2 {
				if c.holding != nil {
					must(t, m.session.Send(peer.Message{Payload: c.holding}))
				}
			}
			must(t, m.session.Send(peer.Message{Payload: node.Hello(nil, nil, true, 0)})) // answered with packages
			until(func(b []byte) bool { return b[0] == 2 })
			switch {
			case c.want == nil && len(told) > 0:
				t.Errorf("it is told %d times", len(told))
			case c.want != nil && (len(told) != 1 || !bytes.Equal(told[0], c.want)):
				t.Errorf("it is told %d times, or something else", len(told))
			}
		})
	}
	if ann.logged("peer broke a rule") != 0 {
		t.Error("somebody is punished")
	}
}

// TestFalseSince: what follows a header is taken if it follows one that is held, and
// checks.
func TestFalseSince(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	m := befriended(t, ann)
	go func() {
		for range m.session.Messages() {
		}
	}()
	first, err := m.self.NewLastResort(group.NewSuite, now())
	must(t, err)
	second, err := m.self.NewLastResort(group.NewSuite, now())
	must(t, err)
	longer := m.publishes(t, first)
	longest := longer.publishes(t, second)
	hash := func(b []byte) wire.BlockHash { return wire.BlockHash(wire.Hash(wire.HashBlock, b)) }
	tell := func(after wire.BlockHash, headers [][]byte, resort []byte) {
		t.Helper()
		must(t, m.session.Send(peer.Message{Payload: node.PersonNewsSince(after, m.self.Info, headers, [][]byte{resort})}))
	}
	kept := func(n int) func() bool {
		return func() bool { h, _ := ann.Kept(m.self.Person); return len(h) == n }
	}
	tell(hash(longer.headers()[1]), longest.headers()[2:], second.Public)
	ann.until("what follows something unknown is passed over", func() bool {
		return ann.logged("a friend's chain does not go on from the one that is known") == 1 && kept(1)()
	})
	tell(hash(m.headers()[0]), longer.headers()[1:], first.Public)
	ann.until("what follows is kept", kept(2))
	tell(hash(m.headers()[0]), longest.headers()[1:], second.Public)
	ann.until("what follows an older header is kept", kept(3))
	if ann.logged("peer broke a rule") != 0 {
		t.Error("the truth breaks a rule")
	}
	tell(hash(longest.headers()[2]), m.headers(), second.Public)
	ann.until("what does not follow breaks a rule", func() bool { return ann.logged("peer broke a rule") == 1 })
	if !kept(3)() {
		t.Error("a chain that does not fit together is kept")
	}
}

// packages is a message with so many new key packages.
func (m *mallory) packages(count int) ([]byte, error) {
	var list [][]byte
	for range count {
		k, err := m.self.NewPackage(group.NewSuite, uint64(time.Now().UnixMilli()))
		if err != nil {
			return nil, err
		}
		list = append(list, k.Public)
	}
	return node.Packages(list...), nil
}
