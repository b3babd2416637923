package node_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/node"
	"kith/internal/peer"
	"kith/internal/wire"
)

const day = 24 * 3600 * 1000 // ms

func now() uint64 { return uint64(time.Now().UnixMilli()) }

// knows waits until p has heard how the person chain of o stands.
func (p *person) knows(o *person) {
	p.t.Helper()
	p.until("knows "+o.name+"'s chain", func() bool {
		headers, resorts := p.Kept(o.id())
		return slices.EqualFunc(headers, o.Chain(), bytes.Equal) && len(resorts) == len(group.Suites())
	})
}

// TestLastResort: Ben is off, and is added to more groups than he has given key
// packages for, and to one of the suite before. He comes into all of them.
func TestLastResort(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	befriend(t, ann, ben)
	ann.knows(ben)
	ben.knows(ann)
	ben.stop()
	var groups []wire.GroupID
	add := func(suite int, title string) {
		g, err := ann.CreateGroupOf(group.Suites()[suite], title, []wire.PersonID{ben.id()})
		must(t, err)
		groups = append(groups, g)
	}
	for i := range 10 {
		add(0, fmt.Sprintf("Trip %d", i))
	}
	add(1, "Old trip")
	add(1, "Another old trip")
	ben = ben.again()
	for _, g := range groups {
		ben.stands(g, group.StatusInvited)
	}
	for _, g := range groups[8:] {
		must(t, ben.AcceptGroup(g, false))
		ben.say(g, "here")
		ann.sees(g, "here")
	}
	// Ann alone voted when he came in, and settled it; last resorts are others' way in yet.
	ben.until("no used package is kept, and 2 last resorts are", func() bool {
		_, spent, resorts := ben.Secrets()
		return len(spent) == 0 && len(resorts) == 2
	})
	// A chat that he deletes does not come back by the package that led him in.
	must(t, ben.DeclineGroup(groups[7]))
	ben.stands(groups[7], group.StatusDeclined)
	ann.until("Ben has declined", func() bool { c, err := ann.Chat(groups[7]); return err == nil && len(c.Members) == 1 })
	must(t, ben.DeleteChat(groups[7]))
	ben = ben.restart()
	ben.until("Ann", func() bool { return ben.Status().Connected == 1 })
	ben.say(ben.chatWith(ann), "hello")
	ann.sees(ann.chatWith(ben), "hello")
	if _, err := ben.Chat(groups[7]); reason(err) != node.ReasonUnknown {
		t.Errorf("the deleted chat is back: %v", err)
	}
}

// TestRenewal: a new home names last-resort packages of both suites in its
// chain; after 30 days, not before, it names others, and friends hear of it.
func TestRenewal(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	if n := len(ann.Chain()); n != 2 {
		t.Fatalf("a new home's chain has %d blocks, want genesis and the packages", n)
	}
	befriend(t, ann, ben)
	ben.knows(ann)
	_, before := ben.Kept(ann.id())
	ann.RenewAt(now() + 29*day)
	if n := len(ann.Chain()); n != 2 {
		t.Fatalf("after 29 days there are %d blocks", n)
	}
	must(t, ann.RenewNow())
	ben.until("Ann's new chain", func() bool { headers, _ := ben.Kept(ann.id()); return len(headers) == 3 })
	ben.knows(ann)
	if _, after := ben.Kept(ann.id()); len(after) != len(before) || bytes.Equal(after[0], before[0]) {
		t.Error("Ben keeps the old last-resort packages")
	}
	g, err := ben.CreateGroup("Trip", []wire.PersonID{ann.id()})
	must(t, err)
	ann.stands(g, group.StatusInvited)
	before = ann.Chain()
	ann = ann.restart()
	if !slices.EqualFunc(before, ann.Chain(), bytes.Equal) {
		t.Error("after a restart the chain is another")
	}
	if _, _, resorts := ann.Secrets(); len(resorts) != 4 {
		t.Errorf("Ann keeps %d last resorts, want the new ones and those before", len(resorts))
	}
	ann.RenewAt(now() + 31*day)
	if n := len(ann.Chain()); n != 4 {
		t.Fatalf("after 31 days there are %d blocks", n)
	}
	if _, _, resorts := ann.Secrets(); len(resorts) != 4 {
		t.Errorf("Ann keeps %d last resorts, want the new ones and those before", len(resorts))
	}
}

// TestSecretsGo: private parts of key packages are in the database until what they
// were used for is settled, or they are over, and then no byte of them is left in its
// files. Of two voters one is off while Ann is added to a walk, so that it does not
// settle; that she is in the trip its creator settles alone.
func TestSecretsGo(t *testing.T) {
	t.Parallel()
	ann := startWith(t, "Ann", node.Config{Home: t.TempDir(), Plain: true})
	ben, cleo := start(t, "Ben", t.TempDir()), start(t, "Cleo", t.TempDir())
	befriend(t, ben, cleo)
	befriend(t, ben, ann)
	given, _, _ := ann.Secrets()
	walk := together(t, "Walk", ben, cleo)
	cleo.stop()
	must(t, ben.AddMembers(walk, []wire.PersonID{ann.id()}))
	ann.stands(walk, group.StatusInvited)
	trip, err := ben.CreateGroup("Trip", []wire.PersonID{ann.id()})
	must(t, err)
	ann.stands(trip, group.StatusInvited)
	ann.until("the trip's package is gone", func() bool { _, spent, _ := ann.Secrets(); return len(spent) == 1 })
	fresh, spent, resorts := ann.Secrets()
	settled := slices.DeleteFunc(given, func(s string) bool { return slices.Contains(slices.Concat(fresh, spent), s) })
	if len(fresh) < 5 || len(settled) == 0 || len(resorts) != 2 {
		t.Fatalf("Ann keeps %d, %d and %d; %d are gone", len(fresh), len(spent), len(resorts), len(settled))
	}
	look := func(when string, want bool, secrets []string) {
		t.Helper()
		ann.stop()
		var files []byte
		names, err := filepath.Glob(filepath.Join(ann.home, "*"))
		must(t, err)
		for _, name := range names {
			if b, err := os.ReadFile(name); err == nil {
				files = append(files, b...)
			}
		}
		for _, s := range secrets {
			if bytes.Contains(files, []byte(s)) != want {
				t.Errorf("%s: a secret lies in the files: %v", when, !want)
			}
		}
		ann = ann.again()
	}
	look("at first", true, slices.Concat(fresh, spent, resorts))
	look("used and settled", false, settled)

	ann.RenewAt(now() + 29*day)
	look("used 29 days ago", true, spent)
	ann.RenewAt(now() + 31*day)
	look("used 31 days ago", false, spent)
	look("replaced just now", true, resorts)
	ann.RenewAt(now() + 62*day)
	look("replaced 31 days ago", false, resorts)
	look("not used for 62 days", true, fresh)
	ann.RenewAt(now() + 402*day)
	look("not used for 402 days", false, fresh)
}

// TestFalseNews: what Mallory tells of her chain is taken only if it checks.
func TestFalseNews(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	m, other := befriended(t, ann), newMallory(t)
	go func() {
		for range m.session.Messages() {
		}
	}()
	resort := func(self group.Self, now uint64) group.Package {
		p, err := self.NewLastResort(group.NewSuite, now)
		must(t, err)
		return p
	}
	first, second := resort(m.self, now()), resort(m.self, now())
	once, err := m.self.NewPackage(group.NewSuite, now())
	must(t, err)
	longer := m.publishes(t, first)
	longest := longer.publishes(t, second)
	branch := m.publishes(t, second)
	named := m.publishes(t, once)
	name, err := identity.NewInfo("Eve")
	must(t, err)
	others := other.publishes(t, resort(other.self, now()))

	broken := 0 // rules, by now
	tell := func(what string, breaks bool, info []byte, headers [][]byte, resorts ...[]byte) {
		t.Helper()
		before, _ := ann.Kept(m.self.Person)
		must(t, m.session.Send(peer.Message{Payload: node.PersonNews(info, headers, resorts)}))
		must(t, m.session.Send(peer.Message{Payload: node.Hello(nil, []string{"/ip4/192.0.2.1/tcp/" + fmt.Sprint(1+len(what))}, true, 9)}))
		if breaks {
			broken++
			ann.until(what+" breaks a rule", func() bool { return ann.logged("peer broke a rule") == broken })
			if after, _ := ann.Kept(m.self.Person); !slices.EqualFunc(before, after, bytes.Equal) {
				t.Errorf("%s is kept", what)
			}
		}
	}
	tell("another person's chain", true, other.self.Info, others.headers())
	tell("another name", true, name.Marshal(), longer.headers())
	tell("a package that is not named", true, m.self.Info, longer.headers(), second.Public)
	tell("one for one group", true, m.self.Info, named.headers(), once.Public)
	tell("a chain with a hole", true, m.self.Info, append([][]byte{}, longer.headers()[1:]...))
	ann.until("nothing is known of Mallory's chain", func() bool { h, r := ann.Kept(m.self.Person); return len(h) == 1 && len(r) == 0 })
	tell("the truth", false, m.self.Info, longer.headers(), first.Public)
	ann.until("the truth is kept", func() bool { h, r := ann.Kept(m.self.Person); return len(h) == 2 && len(r) == 1 })
	tell("a branch", false, m.self.Info, branch.headers(), second.Public)
	tell("less than is known", false, m.self.Info, m.self.Headers)
	ann.until("both are passed over", func() bool {
		return ann.logged("a friend's chain does not go on from the one that is known") == 2
	})
	tell("what follows", false, m.self.Info, longest.headers(), second.Public)
	ann.until("what follows is kept", func() bool {
		h, r := ann.Kept(m.self.Person)
		return len(h) == 3 && len(r) == 1 && bytes.Equal(r[0], second.Public)
	})
	if ann.logged("peer broke a rule") != broken || ann.Status().Connected != 1 {
		t.Error("Mallory is punished for a copy of her home")
	}
}

// TestCardIsPlain: a card ends at the last block that changes more than packages,
// or a program from before there were such blocks could not read it.
func TestCardIsPlain(t *testing.T) {
	m := newMallory(t)
	if got := node.CardHeaders(m.self.Headers); len(got) != 1 {
		t.Errorf("of a chain of genesis alone a card has %d headers", len(got))
	}
	long := m
	for range 3 {
		p, err := m.self.NewLastResort(group.NewSuite, now())
		must(t, err)
		long = long.publishes(t, p)
	}
	if got := node.CardHeaders(long.headers()); len(got) != 1 || !bytes.Equal(got[0], m.self.Headers[0]) {
		t.Errorf("of genesis and 3 blocks of packages a card has %d headers", len(got))
	}
}

// publishes returns Mallory with a longer chain; she stays as she is.
func (m *mallory) publishes(t *testing.T, list ...group.Package) *mallory {
	t.Helper()
	next := *m
	machine, err := group.LoadPerson(m.self, next.source)
	must(t, err)
	eff, err := machine.Step(group.Input{Now: now(), Cause: group.Publish{Packages: list}})
	must(t, err)
	next.own = slices.Concat(next.own, eff.Write)
	next.self.Headers = machine.Headers()
	return &next
}

func (m *mallory) headers() [][]byte { return m.self.Headers }

// source reads the records of Mallory's chain; the newest of a key counts.
func (m *mallory) source(k group.Kind, each func(group.Record) error) error {
	newest := make(map[string]group.Record)
	for _, r := range m.own {
		if r.Kind == k {
			newest[string(r.Key)] = r
		}
	}
	keys := make([]string, 0, len(newest))
	for key := range newest {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if newest[key].Value == nil {
			continue
		}
		if err := each(newest[key]); err != nil {
			return err
		}
	}
	return nil
}
