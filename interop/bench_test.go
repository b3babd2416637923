//go:build unix

package interop

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"syscall"
	"testing"
	"time"

	peer "github.com/thomas-vilte/mls-go"
	"github.com/thomas-vilte/mls-go/ciphersuite"

	"kith/internal/mls"
)

// BenchmarkBeside does the same work with mls-go and with ours in one run, in
// suite 1, and reports the CPU time of both and how many times ours goes into
// theirs. Groups are as a founder has them after adding everybody at once.
func BenchmarkBeside(b *testing.B) {
	for _, n := range []int{2, 10, 100} {
		b.Run(fmt.Sprint("n=", n), func(b *testing.B) {
			theirs, ours := newTheirBench(b, n), newOurBench(b, n)
			for _, c := range []struct {
				name         string
				theirs, ours func()
			}{
				{"add all", theirs.addAll, ours.addAll},
				{"join", theirs.join, ours.join},
				{"commit", theirs.commit, ours.commit},
				{"process", theirs.process, ours.process},
				{"encrypt", theirs.encrypt, ours.encrypt},
				{"decrypt", theirs.decrypt, ours.decrypt},
			} {
				b.Run(c.name, func(b *testing.B) {
					var them, us time.Duration
					rounds := 0
					for b.Loop() {
						them += theirs.cost(c.theirs)
						us += ours.cost(c.ours)
						rounds++
					}
					b.ReportMetric(milliseconds(them, rounds), "theirs-cpu-ms")
					b.ReportMetric(milliseconds(us, rounds), "ours-cpu-ms")
					b.ReportMetric(float64(them)/float64(max(us, 1)), "times")
				})
			}
		})
	}
}

func milliseconds(d time.Duration, n int) float64 {
	return float64(d.Microseconds()) / 1000 / float64(n)
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A stopwatch lets an operation prepare itself before it counts.
type stopwatch struct{ begun time.Duration }

func (s *stopwatch) start() { s.begun = cpu() }

func (s *stopwatch) cost(op func()) time.Duration {
	s.start()
	op()
	return cpu() - s.begun
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

type theirBench struct {
	stopwatch
	b                *testing.B
	ctx              context.Context
	n                int
	founder, newcome *peer.Client
	group, welcome   []byte
}

func newPeer(b *testing.B, name string) *peer.Client {
	b.Helper()
	c, err := peer.NewClient([]byte(name), ciphersuite.MLS128DHKEMX25519, peer.WithLogger(slog.New(slog.DiscardHandler)))
	must(b, err)
	return c
}

func newTheirBench(b *testing.B, n int) *theirBench {
	return &theirBench{b: b, ctx: context.Background(), n: n}
}

func (t *theirBench) addAll() {
	t.founder = newPeer(t.b, "founder")
	var err error
	t.group, err = t.founder.CreateGroup(t.ctx)
	must(t.b, err)
	for i := range t.n - 1 {
		t.newcome = newPeer(t.b, strconv.Itoa(i))
		k, err := t.newcome.FreshKeyPackageBytes(t.ctx)
		must(t.b, err)
		_, err = t.founder.ProposeAddMember(t.ctx, t.group, k)
		must(t.b, err)
	}
	t.start()
	_, t.welcome, err = t.founder.CommitPendingProposals(t.ctx, t.group)
	must(t.b, err)
}

func (t *theirBench) join() {
	if t.welcome == nil {
		t.addAll()
	}
	t.start()
	_, err := t.newcome.JoinGroup(t.ctx, t.welcome)
	must(t.b, err)
	t.welcome = nil
}

func (t *theirBench) commit() {
	_, _, err := t.founder.CommitPendingProposals(t.ctx, t.group)
	must(t.b, err)
}

// both brings the newcomer and the founder into one epoch.
func (t *theirBench) both() {
	t.addAll()
	t.join()
}

func (t *theirBench) process() {
	if t.welcome != nil {
		t.join()
	}
	a, err := t.founder.Epoch(t.ctx, t.group)
	must(t.b, err)
	if c, err := t.newcome.Epoch(t.ctx, t.group); err != nil || c != a {
		t.both()
	}
	m, _, err := t.founder.CommitPendingProposals(t.ctx, t.group)
	must(t.b, err)
	t.start()
	must(t.b, t.newcome.ProcessCommit(t.ctx, t.group, m))
}

func (t *theirBench) encrypt() {
	_, err := t.founder.SendMessage(t.ctx, t.group, make([]byte, 1024))
	must(t.b, err)
}

func (t *theirBench) decrypt() {
	m, err := t.founder.SendMessage(t.ctx, t.group, make([]byte, 1024))
	must(t.b, err)
	t.start()
	_, err = t.newcome.ReceiveMessage(t.ctx, t.group, m)
	must(t.b, err)
}

type ourBench struct {
	stopwatch
	b                *testing.B
	n                int
	founder, newcome *own
	staged           *mls.StagedCommit
	welcome          []byte
	joined           *mls.Epoch
	send, receive    *mls.Ratchets
}

func newOurBench(b *testing.B, n int) *ourBench { return &ourBench{b: b, n: n} }

func (o *ourBench) addAll() {
	o.founder = newOwn(o.b, 1, "founder")
	var packs []*mls.KeyPackage
	for i := range o.n - 1 {
		o.newcome = newOwn(o.b, 1, strconv.Itoa(i))
		packs = append(packs, o.newcome.pack)
	}
	e, err := mls.Create(1, []byte("group"), o.founder.pack, o.founder.secret)
	must(o.b, err)
	o.start()
	o.staged, err = e.Commit(mls.CommitParams{Add: packs, Signer: o.founder.key})
	must(o.b, err)
	o.welcome, err = o.staged.Welcome(o.founder.key, nil, true)
	must(o.b, err)
}

func (o *ourBench) join() {
	if o.staged == nil {
		o.addAll()
	}
	o.start()
	e, _, err := mls.Join(o.welcome, o.newcome.pack, o.newcome.secret, nil)
	must(o.b, err)
	o.joined, o.send, o.receive = e, nil, nil
}

func (o *ourBench) commit() {
	_, err := o.staged.Next.Commit(mls.CommitParams{Signer: o.founder.key})
	must(o.b, err)
}

func (o *ourBench) process() {
	s, err := o.staged.Next.Commit(mls.CommitParams{Signer: o.founder.key})
	must(o.b, err)
	raw := s.Commit.Bytes()
	o.start()
	c, err := mls.ParseCommit(raw)
	must(o.b, err)
	_, _, err = o.joined.Process(c)
	must(o.b, err)
}

func (o *ourBench) encrypt() {
	if o.send == nil {
		o.send, o.receive = o.staged.Next.Ratchets(), o.joined.Ratchets()
	}
	o.start()
	_, err := o.staged.Next.Encrypt(o.send, o.founder.key, nil, make([]byte, 1024), 0)
	must(o.b, err)
}

func (o *ourBench) decrypt() {
	if o.send == nil {
		o.send, o.receive = o.staged.Next.Ratchets(), o.joined.Ratchets()
	}
	m, err := o.staged.Next.Encrypt(o.send, o.founder.key, nil, make([]byte, 1024), 0)
	must(o.b, err)
	o.start()
	_, _, err = o.joined.Decrypt(o.receive, m)
	must(o.b, err)
}
