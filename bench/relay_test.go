//go:build unix

package bench

import (
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"
	relaystore "github.com/fiatjaf/eventstore/badger"
	"github.com/fiatjaf/khatru"
	"github.com/nbd-wtf/go-nostr"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/store"
	"kith/internal/wire"
)

const (
	start   = uint64(1_700_000_000_000) // ms
	members = 10
	authors = 4
	texts   = 3000 // in each round
	rounds  = 3
)

// BenchmarkRelay takes in the same texts by the same number of authors, as a node of Kith takes them in from a
// peer and as a relay of khatru with its store on Badger does from a client. Both check every signature and
// wait for the disk: Kith after each frame of 256 KiB, as it does, the relay after each event, as it does, and
// the same relay without waiting at all. What a connection costs is left out of both. It prints the processor
// time of the process, medians of rounds in which the three take turns.
func BenchmarkRelay(b *testing.B) {
	for b.Loop() {
		took := make([][]float64, 3)
		for range rounds {
			for i, run := range []func(*testing.B) time.Duration{takeIn, relayDurable, relayCached} {
				took[i] = append(took[i], float64(run(b).Microseconds())/texts)
			}
		}
		fmt.Print("\n| taking in texts of 0 to 200 bytes | CPU µs each | each CPU second |\n|---|---|---|\n")
		for i, name := range []string{"Kith, decrypted, indexed for search, encrypted at rest, durable", "khatru 0.19.1 on Badger, durable", "the same, not durable"} {
			slices.Sort(took[i])
			us := took[i][rounds/2]
			fmt.Printf("| %s | %.0f | %.0f |\n", name, us, 1e6/us)
		}
	}
}

func text(i int) string { return fmt.Sprintf("message %d: %s", i, strings.Repeat("word ", i*31%38)) }

func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// relayDurable and relayCached are a relay whose store waits for the disk after each event, and one that does not.
func relayDurable(b *testing.B) time.Duration { return relay(b, true) }
func relayCached(b *testing.B) time.Duration  { return relay(b, false) }

func relay(b *testing.B, durable bool) time.Duration {
	var events []string
	for i := range texts {
		e := nostr.Event{Kind: 1, CreatedAt: nostr.Timestamp(start/1000 + uint64(i)), Content: text(i)}
		key := wire.Hash("bench", []byte{byte(i % authors)})
		must(b, e.Sign(hex.EncodeToString(key[:])))
		events = append(events, e.String())
	}
	db := &relaystore.BadgerBackend{Path: b.TempDir(), BadgerOptionsModifier: func(o badger.Options) badger.Options {
		return o.WithSyncWrites(durable).WithLoggingLevel(badger.ERROR)
	}}
	must(b, db.Init())
	defer db.Close()
	r := khatru.NewRelay()
	r.StoreEvent = append(r.StoreEvent, db.SaveEvent)
	r.QueryEvents = append(r.QueryEvents, db.QueryEvents)
	began := processTime(b)
	for _, text := range events { // as its handler of a connection does
		var e nostr.Event
		must(b, e.UnmarshalJSON([]byte(text)))
		if ok, err := e.CheckSignature(); !e.CheckID() || !ok || err != nil {
			b.Fatal(err)
		}
		_, err := r.AddEvent(context.Background(), &e)
		must(b, err)
	}
	took := processTime(b) - began
	n, err := db.CountEvents(context.Background(), nostr.Filter{Kinds: []int{1}})
	if err != nil || n != texts {
		b.Fatal(n, err)
	}
	return took
}

// A speaker is a member's machine with nothing around it.
type speaker struct {
	self    group.Self
	machine *group.Machine
	pack    group.Package
}

func newSpeaker(b *testing.B, name string) *speaker {
	recovery, err := identity.ParsePhrase(identity.NewPhrase())
	must(b, err)
	self, _, err := group.NewPerson(group.NewPersonParams{
		Device: identity.NewDevice(), Name: name,
		Recovery: chain.RecoveryKeys{Key: [32]byte(recovery.RecoveryKey()), Sealing: [chain.KnockKeySize]byte(recovery.SealingKey())},
	}, start)
	must(b, err)
	p, err := self.NewPackage(group.NewSuite, start)
	must(b, err)
	return &speaker{self: self, pack: p}
}

func (s *speaker) step(b *testing.B, c group.Cause) group.Effects {
	eff, err := s.machine.Step(group.Input{Now: start, Cause: c})
	must(b, err)
	return eff
}

// speakers makes a group of whose members all have accepted.
func speakers(b *testing.B) []*speaker {
	first := newSpeaker(b, "0")
	list, params := []*speaker{first}, group.CreateParams{Title: "Measured"}
	for i := 1; i < members; i++ {
		s := newSpeaker(b, fmt.Sprint(i))
		list = append(list, s)
		params.Newcomers = append(params.Newcomers, group.Newcomer{
			Person: s.self.Person, Headers: s.self.Headers, Info: s.self.Info, KnockKey: s.self.Device.KnockKey(), KeyPackage: s.pack.Public,
		})
	}
	var err error
	first.machine, _, err = group.Create(first.self, params, start)
	must(b, err)
	for _, s := range list[1:] {
		eff := first.step(b, group.PeerUp{Peer: s.self.Member()})
		s.machine, _, err = group.Join(s.self, eff.Send[0].Payload, first.self.Member(), func(group.Use) ([]byte, bool) { return s.pack.Secrets, true }, start)
		must(b, err)
		s.step(b, group.Accept{})
		first.step(b, group.PeerDown{Device: s.self.Device.ID()})
	}
	return list
}

// takeIn is what a node of Kith does with texts that others wrote.
func takeIn(b *testing.B) time.Duration {
	all := speakers(b)
	reader, from := all[members-1], all[0].self.Member()
	var packed []group.Packed
	for i := range texts {
		c, err := group.Text(text(i))
		must(b, err)
		var p group.Packed
		for _, r := range all[i%authors].step(b, group.Compose{Content: c}).Write {
			switch r.Kind {
			case group.KindEntry:
				p.Header = r.Value
			case group.KindCipher:
				p.Ciphertext = r.Value
			}
		}
		packed = append(packed, p)
	}
	db, err := store.Open(store.Config{Path: filepath.Join(b.TempDir(), store.FileName), Key: store.NewKey()})
	must(b, err)
	defer db.Close()
	reader.step(b, group.PeerUp{Peer: from})
	payloads := group.Batches(packed)
	began := processTime(b)
	shown := 0
	for i, p := range payloads {
		eff, err := reader.machine.Step(group.Input{Now: start + uint64(i)*100, Cause: group.Received{From: from, Payload: p}})
		must(b, err)
		must(b, db.CommitMany([]store.Batch{{Group: wire.GroupID{1}, Records: eff.Write, Rows: eff.Rows, Checked: eff.Checked}}))
		for _, r := range eff.Rows {
			if r.State == group.RowShown {
				shown++
			}
		}
	}
	took := processTime(b) - began
	if shown != texts {
		b.Fatalf("%d of %d texts can be read", shown, texts)
	}
	return took
}
