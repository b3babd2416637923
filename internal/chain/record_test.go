package chain_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"testing"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/wire"
)

// forkedGroup is a group whose two admins removed each other at the same time.
func forkedGroup(t testing.TB) *group {
	g := newGroup(t, chain.Policy{}, "ann", "ben*", "cat")
	g.commit("ann", nil, &chain.Rekey{})
	at, s := g.blocks.Head(), g.state()
	for _, names := range [][2]string{{"ben", "ann"}, {"ann", "ben"}} {
		m, _ := s.Person(g.person(names[1]).id)
		g.take(g.draft(s, at, g.person(names[0]), nil, &chain.Remove{Person: m.Person, Instance: m.Instance}))
	}
	return g
}

func TestRecord(t *testing.T) {
	g := forkedGroup(t)
	file := chain.NewRecord(g.blocks).Marshal()
	r, err := chain.ParseRecord(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Marshal(), file) {
		t.Error("another encoding")
	}
	v, err := r.Verify()
	if err != nil {
		t.Fatal(err)
	}
	if v.Blocks.Len() != 4 || v.Head != g.blocks.Head() || v.Settled != g.blocks.Genesis() {
		t.Errorf("%d blocks, head %s, settled %s", v.Blocks.Len(), v.Head, v.Settled)
	}
	if got, want := v.Blocks.State(v.Head).Root(), g.state().Root(); got != want {
		t.Errorf("state %s, want %s", got, want)
	}
}

// TestRecordBytes spells a file out from docs/spec/chainfile.md.
func TestRecordBytes(t *testing.T) {
	p := newPerson(t, "ann")
	h := p.headers[0].Bytes()
	info := identity.Info{Salt: fill32(1), Name: "Ann", Picture: fill32(2)}
	var length, outer wire.Writer
	length.Varint(len(h))
	outer.Varint(length.Len() + len(h))
	vector := slices.Concat(outer.Bytes(), length.Bytes(), h) // of one header, and of one header's proof
	var whole, around wire.Writer
	whole.Varint(len(vector))
	around.Varint(whole.Len() + len(vector))
	want := slices.Concat([]byte("KITHCHN"), []byte{1}, vector, []byte{0}, // nothing settled
		around.Bytes(), whole.Bytes(), vector,
		[]byte{0x40, 70, 0x40, 68}, x(1, 32), []byte{3}, []byte("Ann"), x(2, 32))
	r := &chain.Record{Headers: p.headers, Proofs: [][]*chain.Header{p.headers}, Infos: []identity.Info{info}}
	if got := r.Marshal(); !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
	if _, err := chain.ParseRecord(want); err != nil {
		t.Error(err)
	}
}

// TestRecordVotesBytes spells out the votes of a file.
func TestRecordVotesBytes(t *testing.T) {
	g := forkedGroup(t)
	at := g.blocks.Head()
	bare, r := chain.NewRecord(g.blocks).Marshal(), settled(g, at)
	votes := r.Settlement[0].Votes
	var list, around wire.Writer
	list.Varint(2 * chain.VoteSize)
	warrant := slices.Concat([]byte{1}, at[:], list.Bytes(), votes[0].Marshal(), votes[1].Marshal())
	around.Varint(len(warrant))
	without, empty := bytes.CutSuffix(bare, []byte{0, 0, 0}) // no votes, no proofs, no names
	want := slices.Concat(without, around.Bytes(), warrant, []byte{0, 0})
	if got := r.Marshal(); !empty || !bytes.Equal(got, want) {
		t.Errorf("got  %x\nwant %x", got, want)
	}
}

// TestRecordOfBefore: files of a program that wrote no votes are what they were:
// valid, and nothing but genesis is settled.
func TestRecordOfBefore(t *testing.T) {
	for name, want := range map[string]struct {
		blocks int
		title  string
	}{"named": {3, "Choir"}, "forked": {4, ""}} {
		file, err := os.ReadFile("testdata/record/" + name + ".chain")
		if err != nil {
			t.Fatal(err)
		}
		r, err := chain.ParseRecord(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := r.Verify()
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Text(v.Blocks.State(v.Head).Info()); v.Blocks.Len() != want.blocks || got != want.title || v.Settlings != nil || v.Settled != v.Blocks.Genesis() {
			t.Errorf("%s: %d blocks, title %q, settled %v", name, v.Blocks.Len(), got, v.Settlings)
		}
		if !bytes.Equal(r.Marshal(), file) {
			t.Errorf("%s: another encoding", name)
		}
	}
}

// vote makes one by the only voter.
func vote(g *group, name string, seq, round uint64, block wire.BlockHash, from chain.Source) *chain.Vote {
	p := g.person(name)
	v := &chain.Vote{
		Group: wire.GroupID(g.blocks.Genesis()), Device: p.device(0), Seq: seq, Era: g.blocks.Genesis(),
		Round: round, Block: block, Source: from,
	}
	v.Seal(func(l wire.Label, b []byte) []byte { return wire.Sign(p.keys[0], l, b) })
	return v
}

// settled is the record of a group in which ann, its only voter, settled a block.
func settled(g *group, at wire.BlockHash) *chain.Record {
	genesis := chain.Source{Block: g.blocks.Genesis()}
	r := chain.NewRecord(g.blocks)
	r.Settlement = chain.Settlement{{Block: at, Votes: []*chain.Vote{
		vote(g, "ann", 1, 1, at, genesis), vote(g, "ann", 2, 2, at, chain.Source{Round: 1, Block: at}),
	}}}
	return r
}

// TestRecordSettled: a settled block counts, whatever the fork choice says
// without the votes.
func TestRecordSettled(t *testing.T) {
	g := forkedGroup(t)
	genesis := chain.Source{Block: g.blocks.Genesis()}
	var lost wire.BlockHash
	for _, tip := range g.blocks.Tips() {
		if tip != g.blocks.Head() {
			lost = tip
		}
	}
	for name, at := range map[string]wire.BlockHash{"the head": g.blocks.Head(), "what would lose": lost} {
		r := settled(g, at)
		w := r.Settlement[0]
		file := r.Marshal()
		again, err := chain.ParseRecord(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := again.Verify()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v.Settled != at || v.Head != at || v.Round != 2 || !slices.Equal(v.SettledBy, []wire.PersonID{g.person("ann").id}) {
			t.Errorf("%s: settled %s by %v in round %d, head %s", name, v.Settled, v.SettledBy, v.Round, v.Head)
		}
		if s := v.Settlings; len(s) != 1 || s[0].Block != at || s[0].Round != 2 || !slices.Equal(s[0].By, v.SettledBy) || s[0].Voters != 1 || s[0].Quorum != 1 {
			t.Errorf("%s: %+v", name, s)
		}
		if line := v.Chain(); len(line) != 3 || line[2] != at || line[0] != g.blocks.Genesis() {
			t.Errorf("%s: chain %v", name, line)
		}
		w.Votes = w.Votes[:1] // a certificate, and no more
		if got := reasonOf(verify(r.Marshal())); got != chain.RecordVotes {
			t.Errorf("%s, one vote: %q", name, got)
		}
		w.Votes = []*chain.Vote{vote(g, "ben", 1, 1, at, genesis), vote(g, "ben", 2, 2, at, chain.Source{Round: 1, Block: at})}
		if got := reasonOf(verify(r.Marshal())); got != chain.RecordVotes {
			t.Errorf("%s, votes of no voter: %q", name, got)
		}
	}
}

// titled is forkedGroup's chain with a title and a name that blocks commit to.
func titled(t testing.TB) (*chain.Blocks, *person, identity.Info) {
	g := newGroup(t, chain.Policy{}, "ann", "ben")
	name := identity.Info{Salt: fill32(7), Name: "Dan"}
	dan := g.person("dan")
	dan.extend(t, &chain.SetInfo{Info: name.Commit()})
	g.commit("ann", dan.papers(1), dan.add(chain.RoleMember, 1))
	title := identity.Info{Salt: fill32(8), Name: "Choir"}
	g.commit("ann", nil, &chain.SetInfo{Info: title.Commit()})
	return g.blocks, dan, title
}

func TestRecordNames(t *testing.T) {
	blocks, dan, title := titled(t)
	r := chain.NewRecord(blocks)
	r.Proofs = [][]*chain.Header{dan.headers}
	r.Infos = []identity.Info{title, {Salt: fill32(7), Name: "Dan"}}
	sortInfos(r.Infos)
	r, err := chain.ParseRecord(r.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Verify()
	if err != nil {
		t.Fatal(err)
	}
	if v.Name(dan.id) != "Dan" || v.Text(title.Commit()) != "Choir" || v.Name(newPerson(t, "ben").id) != "" {
		t.Errorf("called %q, %q, %q", v.Name(dan.id), v.Text(title.Commit()), v.Name(newPerson(t, "ben").id))
	}
}

func sortInfos(list []identity.Info) {
	slices.SortFunc(list, func(a, b identity.Info) int {
		x, y := a.Commit(), b.Commit()
		return bytes.Compare(x[:], y[:])
	})
}

// TestRecordRefused breaks one thing at a time.
func TestRecordRefused(t *testing.T) {
	blocks, dan, title := titled(t)
	for _, c := range []struct {
		name   string
		change func(*chain.Record)
		want   chain.RecordReason
	}{
		{"no genesis", func(r *chain.Record) { r.Headers = r.Headers[1:] }, chain.RecordParent},
		{"a block left out", func(r *chain.Record) { r.Headers = slices.Delete(r.Headers, 1, 2) }, chain.RecordParent},
		{"no block at all", func(r *chain.Record) { r.Headers = nil }, chain.RecordForm},
		{"a person's chain", func(r *chain.Record) { r.Headers = dan.headers }, chain.RecordKind},
		{"a title of nobody", func(r *chain.Record) { r.Infos = []identity.Info{{Name: "Choir"}} }, chain.RecordStray},
		{"a name without its proof", func(r *chain.Record) { r.Infos = []identity.Info{{Salt: fill32(7), Name: "Dan"}} }, chain.RecordStray},
		{"somebody else's proof", func(r *chain.Record) { r.Proofs = [][]*chain.Header{newPerson(t, "eve").headers} }, chain.RecordStray},
		{"a block twice", func(r *chain.Record) { r.Headers = append(r.Headers, r.Headers[2]) }, chain.RecordForm},
		{"out of order", func(r *chain.Record) { slices.Reverse(r.Headers) }, chain.RecordForm},
		{"a title twice", func(r *chain.Record) { r.Infos = []identity.Info{title, title} }, chain.RecordForm},
	} {
		r := chain.NewRecord(blocks)
		c.change(r)
		if got := reasonOf(verify(r.Marshal())); got != c.want {
			t.Errorf("%s: refused for %q, want %q", c.name, got, c.want)
		}
	}
	file := chain.NewRecord(blocks).Marshal()
	if got := reasonOf(verify([]byte("GIF89a"))); got != chain.RecordKind {
		t.Errorf("a picture: %q", got)
	}
	for n := 8; n < len(file); n += 7 {
		if got := reasonOf(verify(file[:n])); got != chain.RecordForm {
			t.Fatalf("%d bytes of it: %q", n, got)
		}
	}
}

// TestRecordTampered changes each byte of a file in turn, blocks, votes, proofs and
// names: nothing passes.
func TestRecordTampered(t *testing.T) {
	g := forkedGroup(t)
	blocks, dan, title := titled(t)
	named := chain.NewRecord(blocks)
	named.Proofs = [][]*chain.Header{dan.headers}
	named.Infos = []identity.Info{title, {Salt: fill32(7), Name: "Dan"}}
	sortInfos(named.Infos)
	for what, r := range map[string]*chain.Record{"forked": chain.NewRecord(g.blocks), "settled": settled(g, g.blocks.Head()), "named": named} {
		file := r.Marshal()
		if err := verify(file); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for i := range file {
			for _, bit := range []byte{0x01, 0x80} {
				b := slices.Clone(file)
				b[i] ^= bit
				if verify(b) == nil {
					t.Errorf("%s: byte %d changed by %#x, and it passes", what, i, bit)
				}
			}
		}
	}
}

func verify(b []byte) error {
	r, err := chain.ParseRecord(b)
	if err != nil {
		return err
	}
	_, err = r.Verify()
	return err
}

func reasonOf(err error) chain.RecordReason {
	if e, ok := errors.AsType[*chain.RecordError](err); ok {
		return e.Reason
	}
	return ""
}

func FuzzRecord(f *testing.F) {
	blocks, dan, title := titled(f)
	r := chain.NewRecord(blocks)
	f.Add(r.Marshal())
	r.Proofs, r.Infos = [][]*chain.Header{dan.headers}, []identity.Info{title}
	f.Add(r.Marshal())
	g := forkedGroup(f)
	f.Add(chain.NewRecord(g.blocks).Marshal())
	f.Add(settled(g, g.blocks.Head()).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := chain.ParseRecord(b)
		if err != nil {
			return
		}
		roundTrip(t, b, r.Marshal())
		if v, err := r.Verify(); err == nil {
			v.Chain()
		}
	})
}

// TestRecordCarry: what a Carry cites is in the file, or the file is refused; so
// an outsider's fork choice hears what a member's does.
func TestRecordCarry(t *testing.T) {
	d := divide(t)
	d.on("G", "A", "ann", nil, d.retitle())
	d.on("G", "K", "ben", nil, &chain.Rekey{})
	d.on("K", "L", "ben", nil, d.removal("K", "cat"))
	branch := d.branch("K", "L")
	d.on("A", "C", "ann", [][]byte{branch}, &chain.Carry{
		Block: d.at["L"], Person: d.person("cat").id, Instance: d.in("A", "cat"), Cites: []wire.Digest{chain.Cite(branch)},
	})
	r, err := chain.ParseRecord(chain.NewRecord(d.blocks).Marshal())
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.Verify()
	if err != nil {
		t.Fatal(err)
	}
	if v.Head != d.blocks.Head() || v.Blocks.Len() != 5 || v.Blocks.State(d.at["C"]).IsAdmin(d.person("cat").id) {
		t.Errorf("head %s of %d blocks, want %s", v.Head, v.Blocks.Len(), d.blocks.Head())
	}
	// A node that let go of the branch still has what the Carry cites.
	few := chain.NewBlocks()
	for _, name := range []string{"G", "A", "C"} {
		if err := few.Add(d.blocks.Header(d.at[name]), d.blocks.Body(d.at[name]), d.blocks.State(d.at[name])); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := chain.NewRecord(few).Marshal(), chain.NewRecord(d.blocks).Marshal(); !bytes.Equal(got, want) {
		t.Error("another file without the branch")
	}
	r.Headers = slices.DeleteFunc(r.Headers, func(h *chain.Header) bool { return h.Hash() == d.at["L"] })
	if got := reasonOf(verify(r.Marshal())); got != chain.RecordParent {
		t.Errorf("without the branch: %q", got)
	}
}
