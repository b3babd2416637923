package group_test

import (
	"bytes"
	"slices"
	"testing"

	"kith/internal/group"
	"kith/internal/sim"
	"kith/internal/wire"
)

// story is a world in which every kind of payload was sent.
func story(t testing.TB) (*sim.World, wire.GroupID) {
	t.Helper()
	w := sim.New(1)
	ann, ben, cleo := w.Add("Ann"), w.Add("Ben"), w.Add("Cleo")
	g := ann.Create(group.CreateParams{Title: "Trip", Newcomers: []group.Newcomer{ben.Newcomer(), cleo.Newcomer()}})
	w.Run(1000)
	do := func(n *sim.Node, c group.Cause) {
		if err := n.Do(g, c); err != nil {
			t.Fatal(err)
		}
		w.Run(3000)
	}
	do(ben, group.Accept{})
	do(cleo, group.Accept{})
	do(ben, group.SetReach{Peer: []byte("peer"), Hosts: []string{"/ip4/127.0.0.1"}, Expiry: w.Now})
	w.Cut(ann, cleo)
	w.Cut(ben, cleo)
	if err := ann.Say(g, "one"); err != nil {
		t.Fatal(err)
	}
	do(ann, group.SetTitle{Title: "Journey"})
	do(ben, group.SetReach{Peer: []byte("other"), Hosts: []string{"/ip4/127.0.0.1"}, Expiry: w.Now})
	w.HealAll()
	w.Run(5000)
	ann.Publish()
	w.Run(1000)
	m := ben.Groups[g].Machine
	ben.Groups[g].Machine.Doubt(m.Blocks().Head())
	w.Cut(ann, ben)
	w.Heal(ann, ben)
	w.Run(3000)
	do(cleo, group.Leave{})
	ben.Lose(g)
	w.Run(20_000)
	ben.Stop()
	do(ann, group.Park{Device: ben.Self.Device.ID()})
	if err := ann.Say(g, "while Ben is away"); err != nil {
		t.Fatal(err)
	}
	ben.Start()
	w.Run(20_000)
	phone := ben.Link("Ben's phone")
	in, err := ann.Groups[g].Machine.Entrance(phone.Self.Member(), phone.Self.Headers)
	if err != nil {
		t.Fatal(err)
	}
	w.History = append(w.History, sim.Payload{From: ann, To: phone, Group: g, Bytes: in})
	w.Cut(ann, ben)
	do(ann, group.SetTitle{Title: "Tour"})
	do(ann, group.SetReach{Peer: []byte("another"), Hosts: []string{"/ip4/127.0.0.1"}, Expiry: w.Now})
	ben.Publish()
	w.Run(300_000) // voters dwell
	w.HealAll()
	w.Run(5000)
	return w, g
}

// payloads are some of each kind that a story sends, and of each part where a kind
// has parts; and one that asks for a name, which nobody lacks in it.
func payloads(w *sim.World) (list [][]byte) {
	count := make(map[[2]byte]int)
	for _, p := range w.History {
		kind := [2]byte{p.Bytes[0]}
		if kind[0] == kindPeople || kind[0] == kindVotes {
			kind[1] = p.Bytes[1]
		}
		if count[kind] < 3 {
			count[kind]++
			list = append(list, p.Bytes)
		}
	}
	// Besides, what goes to older programs only.
	old := [][]byte{append([]byte{kindPeople, 0}, make([]byte, 32)...), {kindPeople, 1, 0, 1}}
	return append(append(list, old...), append([]byte{7, 32}, make([]byte, 32)...))
}

// Numbers of payloads that have parts.
const (
	kindPeople      = 13
	kindVotes       = 14
	kindAskContents = 20
	kindContents    = 21
	kindHave        = 2
	kindWant        = 5
	kindAsk         = 23
	kindStretch     = 24
	kindNumbers     = 25
)

// FuzzPayload: what parses encodes to the same bytes.
func FuzzPayload(f *testing.F) {
	w, _ := story(f)
	for _, b := range append(payloads(w), ackPayloads(f)...) {
		f.Add(b)
	}
	for kind := range byte(46) {
		f.Add([]byte{kind, 0, 0, 0, 0})
	}
	w, ann, _, g := settledGroup(f, 8)
	ann.Groups[g].Machine.SetPageRoom(1 << 10)
	do(f, w, ann, g, group.Invite{Newcomers: []group.Newcomer{w.Add("Dan").Newcomer()}})
	parts := 0
	for _, p := range w.History {
		if p.Bytes[0] == 15 {
			f.Add(p.Bytes)
			parts |= 1 << p.Bytes[1]
		}
	}
	if parts != 7 {
		f.Fatalf("pages are sent with the parts %b", parts)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if again, err := group.Reencode(b); err == nil && !bytes.Equal(again, b) {
			t.Errorf("%x parses and encodes to %x", b, again)
		}
	})
}

// TestPayloadKinds: the seeds are of each kind and part.
func TestPayloadKinds(t *testing.T) {
	w, _ := story(t)
	seen, parts := make(map[byte]bool), make(map[[2]byte]bool)
	for _, b := range payloads(w) {
		seen[b[0]], parts[[2]byte(b)] = true, true
		if again, err := group.Reencode(b); err != nil || !bytes.Equal(again, b) {
			t.Errorf("kind %d: %v", b[0], err)
		}
	}
	for kind := byte(1); kind <= kindNumbers; kind++ {
		if kind > kindVotes && kind < kindAskContents || kind == kindStretch {
			continue // reserved; or where hundreds are missing alone, see sync tests
		}
		if !seen[kind] {
			t.Errorf("no payload of kind %d", kind)
		}
	}
	for _, p := range [][2]byte{{kindPeople, 0}, {kindPeople, 1}, {kindPeople, 2}, {kindPeople, 3}, {kindPeople, 4}, {kindVotes, 0}, {kindVotes, 1}, {kindVotes, 2}} {
		if !parts[p] {
			t.Errorf("no payload of kind %d with part %d", p[0], p[1])
		}
	}
}

func FuzzContent(f *testing.F) {
	f.Add([]byte{0, 1, 2, 'h', 'i'})
	f.Add([]byte{0, 99, 1, 0xff})
	f.Add([]byte{0, 1, 1, ' '})
	for _, b := range []group.Body{
		group.Reply{To: someone, Text: "yes"},
		group.Reaction{To: someone, On: true, Emoji: "👍"},
		group.Edit{Of: someone, Text: "no"},
		group.Delete{Of: someone, Versions: []group.Version{version(1)}},
		group.Poll{Question: "?", Options: []string{"a", "b"}},
		group.Vote{In: someone, Choices: []uint8{1}},
		group.Pin{Of: someone},
		group.Close{Of: someone},
		group.Expiry{Seconds: 60},
	} {
		c, err := group.Say(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(c.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := group.ParseContent(b)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Bytes(), b) {
			t.Errorf("%x parses and encodes to %x", b, c.Bytes())
		}
		body, err := c.Open()
		if err != nil || body == nil {
			return
		}
		if again, err := group.Say(body); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Errorf("%x says %+v, which is %x, %v", b, body, again.Bytes(), err)
		}
	})
}

func FuzzWelcome(f *testing.F) {
	w, g := story(f)
	for _, b := range w.Node("Ann").Groups[g].Records[group.KindWelcome] {
		f.Add(b)
	}
	f.Add([]byte{1, 0, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if again, err := group.ReencodeWelcome(b); err == nil && !bytes.Equal(again, b) {
			t.Errorf("%x parses and encodes to %x", b, again)
		}
	})
}

func FuzzOwnRecords(f *testing.F) {
	w, g := story(f)
	for _, b := range w.Node("Ann").Groups[g].Records[group.KindUnsent] {
		f.Add(b)
	}
	f.Add([]byte{1, 'c', 5, 0, 1, 2, 'h', 'i'})
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, reencode := range map[string]func([]byte) ([]byte, error){"held": group.ReencodeHeld, "unsent": group.ReencodeUnsent} {
			if again, err := reencode(b); err == nil && !bytes.Equal(again, b) {
				t.Errorf("%s: %x parses and encodes to %x", name, b, again)
			}
		}
	})
}

// source gives records, with one put in place of its namesake.
func source(records map[group.Kind]map[string][]byte, kind group.Kind, key, value []byte) group.Source {
	return func(k group.Kind, each func(group.Record) error) error {
		keys := make([]string, 0, len(records[k])+1)
		for s := range records[k] {
			keys = append(keys, s)
		}
		if k == kind && !slices.Contains(keys, string(key)) {
			keys = append(keys, string(key))
		}
		slices.Sort(keys)
		for _, s := range keys {
			v := records[k][s]
			if k == kind && s == string(key) {
				v = value
			}
			if err := each(group.Record{Kind: k, Key: []byte(s), Value: v}); err != nil {
				return err
			}
		}
		return nil
	}
}

// FuzzLoad puts a damaged record into a stored group: Load refuses it, or gives
// a machine that works.
func FuzzLoad(f *testing.F) {
	w, g := story(f)
	ben := w.Node("Ben")
	records := ben.Groups[g].Records
	for kind, table := range records {
		for key, value := range table {
			f.Add(uint8(kind), []byte(key), value)
			f.Add(uint8(kind), []byte(key), value[:len(value)/2])
			f.Add(uint8(kind), []byte(key)[:len(key)/2], value)
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, key, value []byte) {
		m, err := group.Load(ben.Self, source(records, group.Kind(kind), key, value))
		if err != nil {
			return
		}
		m.View()
		if _, err := m.Step(group.Input{Now: w.Now, Cause: group.PeerUp{Peer: w.Node("Ann").Self.Member()}}); err != nil {
			t.Error(err)
		}
	})
}

// FuzzReceived gives a live machine any payload from a member: no panic, no
// fault of the machine, and it still takes what is honest.
func FuzzReceived(f *testing.F) {
	seedWorld, _ := story(f)
	for _, b := range append(payloads(seedWorld), ackPayloads(f)...) {
		f.Add(b)
	}
	w, g := story(f)
	ann, ben := w.Node("Ann"), w.Node("Ben")
	count := 0
	f.Fuzz(func(t *testing.T, b []byte) {
		w.Deliver(ann, ben, g, b)
		if err := ben.Groups[g].Machine.CheckInvariants(); err != nil {
			t.Fatal(err)
		}
		if count++; count%64 != 0 {
			return
		}
		rows := len(ben.Groups[g].Rows)
		if err := ann.Say(g, "still there?"); err != nil {
			t.Fatal(err)
		}
		if w.Run(5000); len(ben.Groups[g].Rows) != rows+1 {
			t.Fatal("Ben reads nothing any more")
		}
		ben.Groups[g].Events = nil
		w.History = nil
	})
}
