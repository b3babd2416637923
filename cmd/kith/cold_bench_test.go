package main_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"kith/internal/api"
	"kith/internal/chain"
	"kith/internal/dag"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/node"
	"kith/internal/store"
	"kith/internal/wire"
	v1 "kith/proto/kith/v1"
	"kith/proto/kith/v1/kithv1connect"
)

// The large home takes minutes and 2 GB to build, so it is built only if a folder is given
// for it, and stays there for the next run; without one a small home is made.
//
//	go test ./cmd/kith -run=- -bench=Cold -big=/tmp/cold
var big = flag.String("big", "", "folder for a home of a thousand chats and a million messages")

const (
	coldFriends = 3 // in each chat, beside the home's person
	coldStart   = uint64(1_700_000_000_000)
	coldYear    = uint64(365 * 24 * 3600 * 1000)
)

// BenchmarkCold starts the program on a home of many chats and asks it, as the page does,
// for the list of the chats and for the newest messages of the newest one. It reports when
// both had come, what memory that took and, with everything loaded, what it took then.
func BenchmarkCold(b *testing.B) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		b.Skip("no /proc here that tells the memory of a process")
	}
	home, chats, messages := b.TempDir(), 20, 20_000
	if *big != "" {
		home, chats, messages = *big, 1000, 1_000_000
	}
	coldHome(b, home, chats, messages)
	program := filepath.Join(b.TempDir(), "kith")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	var list, page, worked []time.Duration
	for b.Loop() {
		coldRun(b, program, home, func(began time.Time, pid int, client kithv1connect.KithServiceClient) {
			got := coldList(b, client)
			list = append(list, time.Since(began))
			if len(got) != chats+1 {
				b.Fatalf("%d chats", len(got))
			}
			newest := got[1] // after the notes, which are new
			m, err := client.ListMessages(b.Context(), &v1.ListMessagesRequest{Chat: newest.Id, Limit: 50})
			check(b, err)
			page, worked = append(page, time.Since(began)), append(worked, processor(b, pid))
			if len(m.Messages) != 50 {
				b.Fatalf("%d messages", len(m.Messages))
			}
			b.ReportMetric(float64(memory(b, pid, "VmHWM"))/1e6, "page-peak-MB")
			settle(b, pid)
			b.ReportMetric(processor(b, pid).Seconds(), "loaded-cpu-s")
			b.ReportMetric(float64(memory(b, pid, "VmHWM"))/1e6, "peak-MB")
			b.ReportMetric(float64(memory(b, pid, "VmRSS"))/1e6, "rss-MB")
		})
	}
	for name, took := range map[string][]time.Duration{"list-ms": list, "page-ms": page, "page-cpu-ms": worked} {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Milliseconds()), name)
	}
}

// coldRun runs the program on a home until do is done with it.
func coldRun(b *testing.B, program, home string, do func(time.Time, int, kithv1connect.KithServiceClient)) {
	run := exec.Command(program, "run", "--home", home, "--listen", "127.0.0.1:0", "--web", "localhost:0")
	run.Stderr = os.Stderr
	began := time.Now()
	check(b, run.Start())
	defer func() {
		check(b, run.Process.Signal(syscall.SIGTERM))
		check(b, run.Wait())
	}()
	do(began, run.Process.Pid, api.NewClient(home))
}

// coldList asks for the chats until the program answers.
func coldList(b *testing.B, client kithv1connect.KithServiceClient) []*v1.Chat {
	for deadline := time.Now().Add(time.Minute); ; {
		list, err := client.ListChats(b.Context(), &v1.ListChatsRequest{})
		if err == nil {
			return list.Chats
		}
		if time.Now().After(deadline) {
			b.Fatal(err)
		}
		tick, cancel := context.WithTimeout(b.Context(), 2*time.Millisecond)
		<-tick.Done()
		cancel()
	}
}

// settle waits until a process has done what it does after a start: it works for no more than a
// tenth of a second in one.
func settle(b *testing.B, pid int) {
	for before := processor(b, pid); ; {
		pause(b, time.Second)
		now := processor(b, pid)
		if now-before < 100*time.Millisecond {
			return
		}
		before = now
	}
}

// coldHome makes a home of so many chats and messages, unless it is there. The n-th chat has 1/n
// as many messages as the first, and they are spread over a year. Chats and headers are what
// members' programs make, but nobody signed the headers and nothing is encrypted: a start asks
// for neither.
func coldHome(b *testing.B, home string, chats, messages int) {
	done := filepath.Join(home, "built")
	if _, err := os.Stat(done); err == nil {
		return
	}
	n, err := node.Open(node.Config{Home: home})
	check(b, err)
	check(b, n.Setup("Ann"))
	check(b, n.Close())
	key, err := store.OpenKeyFile(filepath.Join(home, node.KeyFile))
	check(b, err)
	db, err := store.Open(store.Config{Path: filepath.Join(home, store.FileName), Key: key})
	check(b, err)
	defer func() { check(b, db.Close()) }()
	self := homeSelf(b, db)
	var friends []group.Self
	for i := range coldFriends {
		friends = append(friends, newPerson(b, fmt.Sprintf("Friend %d", i+1)))
	}
	var sum float64
	for i := range chats {
		sum += 1 / float64(i+1)
	}
	for i := range chats {
		coldChat(b, db, self, friends, i, max(60, int(float64(messages)/sum/float64(i+1))))
	}
	check(b, os.WriteFile(done, nil, 0o600))
}

func homeSelf(b *testing.B, db *store.DB) (self group.Self) {
	check(b, db.View(func(tx *store.Tx) error {
		device, _, err := tx.Get("self", []byte("device"))
		check(b, err)
		self.Device, err = identity.ParseDevice(device)
		check(b, err)
		person, _, err := tx.Get("self", []byte("person"))
		check(b, err)
		var rec struct {
			Person, Info []byte
			Headers      [][]byte
		}
		check(b, json.Unmarshal(person, &rec))
		self.Person, self.Headers, self.Info = wire.PersonID(rec.Person), rec.Headers, rec.Info
		return nil
	}))
	return self
}

func newPerson(b *testing.B, name string) group.Self {
	recovery, err := identity.ParsePhrase(identity.NewPhrase())
	check(b, err)
	self, _, err := group.NewPerson(group.NewPersonParams{
		Device: identity.NewDevice(), Name: name,
		Recovery: chain.RecoveryKeys{Key: [32]byte(recovery.RecoveryKey()), Sealing: [chain.KnockKeySize]byte(recovery.SealingKey())},
	}, coldStart)
	check(b, err)
	return self
}

// coldChat makes a chat with its messages.
func coldChat(b *testing.B, db *store.DB, self group.Self, friends []group.Self, number, messages int) {
	params, writers := group.CreateParams{Title: fmt.Sprintf("Chat %d", number)}, []wire.Member{self.Member()}
	for _, f := range friends {
		p, err := f.NewPackage(group.NewSuite, coldStart)
		check(b, err)
		params.Newcomers = append(params.Newcomers, group.Newcomer{
			Person: f.Person, Headers: f.Headers, Info: f.Info, KnockKey: f.Device.KnockKey(), KeyPackage: p.Public,
		})
		writers = append(writers, f.Member())
	}
	m, eff, err := group.Create(self, params, coldStart)
	check(b, err)
	check(b, db.Commit(m.Group(), eff.Write, eff.Rows, nil))
	g := dag.NewGraph(coldStart)
	for i := 0; i < messages; {
		var records []group.Record
		var rows []group.Row
		for range min(1000, messages-i) {
			at := coldStart + uint64(number) + uint64(i+1)*(coldYear/uint64(messages+1))
			header, row := coldEntry(b, g, m, writers[(number+i*i/3)%len(writers)], at, i)
			key := group.EntryKey(header.Ref())
			records = append(records,
				group.Record{Kind: group.KindEntry, Key: key, Value: header.Bytes()},
				group.Record{Kind: group.KindCipher, Key: key, Value: make([]byte, header.Length)})
			rows = append(rows, row)
			i++
		}
		check(b, db.Commit(m.Group(), records, rows, nil))
	}
	newest, err := db.Newest(m.Group())
	check(b, err)
	check(b, db.SetLastRead(m.Group(), newest.Place))
}

func coldEntry(b *testing.B, g *dag.Graph, m *group.Machine, by wire.Member, at uint64, i int) (*dag.Header, group.Row) {
	h := &dag.Header{
		Version: dag.Version, Suite: m.Blocks().State(m.Head()).Suite(), SigAlg: wire.SigEd25519,
		Group: m.Group(), Device: by.Device, Block: m.Head(), Time: at, Length: 512,
	}
	binary.BigEndian.PutUint64(h.ContentID[:], uint64(i))
	p := g.Next(h.Device, at)
	h.Seq, h.Prev, h.Parents, h.Lamport, h.Order = p.Seq, p.Prev, p.Parents, p.Lamport, p.Order
	if _, err := g.Add(h); err != nil {
		b.Fatal(err)
	}
	c, err := group.Text(fmt.Sprintf("message %d, about nothing in particular, as most of what people write to each other", i))
	check(b, err)
	return h, group.Row{
		Place: h.Place(), Person: by.Person, ID: h.ContentID, Block: h.Block, Time: at, State: group.RowShown, Content: c.Bytes(),
	}
}
