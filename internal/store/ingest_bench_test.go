//go:build unix

package store_test

import (
	"flag"
	"fmt"
	"syscall"
	"testing"
	"time"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/store"
	"kith/internal/wire"
)

// entries is how many entries BenchmarkIngest takes in. Its four authors hear of nobody who
// has theirs, and write 1,000 each at most (ADR 30).
var entries = flag.Int("entries", 4_000, "entries of BenchmarkIngest")

const (
	ingestStart   = uint64(1_700_000_000_000) // ms
	ingestMembers = 10
	ingestAuthors = 4
)

// A speaker is a member's machine with nothing around it.
type speaker struct {
	self    group.Self
	machine *group.Machine
	pack    group.Package
	records map[group.Kind]map[string][]byte // its secrets, see keep
}

func newSpeaker(b *testing.B, name string) *speaker {
	recovery, err := identity.ParsePhrase(identity.NewPhrase())
	must(b, err)
	self, _, err := group.NewPerson(group.NewPersonParams{
		Device: identity.NewDevice(), Name: name,
		Recovery: chain.RecoveryKeys{Key: [32]byte(recovery.RecoveryKey()), Sealing: [chain.KnockKeySize]byte(recovery.SealingKey())},
	}, ingestStart)
	must(b, err)
	p, err := self.NewPackage(group.NewSuite, ingestStart)
	must(b, err)
	return &speaker{self: self, pack: p, records: make(map[group.Kind]map[string][]byte)}
}

func (s *speaker) newcomer() group.Newcomer {
	return group.Newcomer{
		Person: s.self.Person, Headers: s.self.Headers, Info: s.self.Info,
		KnockKey: s.self.Device.KnockKey(), KeyPackage: s.pack.Public,
	}
}

func (s *speaker) step(b *testing.B, c group.Cause) group.Effects {
	eff, err := s.machine.Step(group.Input{Now: ingestStart, Cause: c})
	must(b, err)
	return eff
}

// keep keeps the secrets among what a step writes.
func (s *speaker) keep(eff group.Effects) {
	for _, r := range eff.Write {
		if r.Kind != group.KindPublic && r.Kind != group.KindEpoch && r.Kind != group.KindRatchet {
			continue
		}
		if s.records[r.Kind] == nil {
			s.records[r.Kind] = make(map[string][]byte)
		}
		s.records[r.Kind][string(r.Key)] = r.Value
		if r.Value == nil {
			delete(s.records[r.Kind], string(r.Key))
		}
	}
}

// speakers makes a group of n, of whom all have accepted.
func speakers(b *testing.B, n int) []*speaker {
	first := newSpeaker(b, "0")
	list, params := []*speaker{first}, group.CreateParams{Title: "Measured"}
	for i := 1; i < n; i++ {
		s := newSpeaker(b, fmt.Sprint(i))
		list, params.Newcomers = append(list, s), append(params.Newcomers, s.newcomer())
	}
	var err error
	first.machine, _, err = group.Create(first.self, params, ingestStart)
	must(b, err)
	for _, s := range list[1:] {
		eff := first.step(b, group.PeerUp{Peer: s.self.Member()})
		s.machine, eff, err = group.Join(s.self, eff.Send[0].Payload, first.self.Member(), func(group.Use) ([]byte, bool) { return s.pack.Secrets, true }, ingestStart)
		must(b, err)
		s.keep(eff)
		s.keep(s.step(b, group.Accept{}))
		first.step(b, group.PeerDown{Device: s.self.Device.ID()})
	}
	return list
}

// write has each author write its part of n messages, and returns them as they
// travel.
func write(b *testing.B, authors []*speaker, n int) (payloads [][]byte) {
	var packed []group.Packed
	for i := range n {
		s := authors[i%len(authors)]
		text, err := group.Text(fmt.Sprintf("message %d: %.*s", i, i*31%180, filler))
		must(b, err)
		var p group.Packed
		for _, r := range s.step(b, group.Compose{Content: text}).Write {
			switch r.Kind {
			case group.KindEntry:
				p.Header = r.Value
			case group.KindCipher:
				p.Ciphertext = r.Value
			}
		}
		if p.Header == nil {
			b.Fatalf("entry %d is not written: more are uncovered than may be", i)
		}
		packed = append(packed, p)
	}
	return group.Batches(packed)
}

// processTime is the processor time of this process, all threads and the
// collector included.
func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkIngest takes in entries as they come from a peer: frames are parsed,
// signatures and claims checked, texts decrypted, and each frame committed to
// the database before the next. What the index costs is the difference to the
// second figure.
func BenchmarkIngest(b *testing.B) {
	b.Run("indexed", ingest)
	b.Run("not-indexed", func(b *testing.B) {
		b.Cleanup(store.NoIndex())
		ingest(b)
	})
}

func ingest(b *testing.B) {
	var took time.Duration
	count := 0
	for b.Loop() {
		b.StopTimer()
		all := speakers(b, ingestMembers)
		reader := all[ingestMembers-1]
		payloads := write(b, all[:ingestAuthors], *entries)
		db := open(b, config(b))
		from := all[0].self.Member()
		reader.step(b, group.PeerUp{Peer: from})
		b.StartTimer()
		began := processTime(b)
		shown := 0
		for i, p := range payloads {
			eff, err := reader.machine.Step(group.Input{
				Now: ingestStart + uint64(i)*1000, Cause: group.Received{From: from, Payload: p},
			})
			must(b, err)
			must(b, db.CommitMany([]store.Batch{{Group: wire.GroupID{}, Records: eff.Write, Rows: eff.Rows, Checked: eff.Checked}}))
			for _, r := range eff.Rows {
				if r.State == group.RowShown {
					shown++
				}
			}
		}
		took += processTime(b) - began
		if shown != *entries {
			b.Fatalf("%d of %d entries can be read", shown, *entries)
		}
		count += shown
	}
	b.ReportMetric(float64(count)/took.Seconds(), "entries/cpu-s")
	b.ReportMetric(float64(took.Microseconds())/float64(count), "cpu-us/entry")
}
