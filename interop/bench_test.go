//go:build unix

package interop

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	peer "github.com/thomas-vilte/mls-go"
	"github.com/thomas-vilte/mls-go/ciphersuite"
	"golang.org/x/sys/unix"

	"kith/internal/mls"
)

// BenchmarkBeside does the same work with mls-go and with ours in one run, in
// suite 1, and prints the CPU time of both and how many times ours goes into
// theirs, as a table in Markdown: medians of besideRounds rounds, in which the
// two take turns. Groups are as a founder has them after adding everybody at
// once. N is the largest group.
func BenchmarkBeside(b *testing.B) {
	largest, err := strconv.Atoi(os.Getenv("N"))
	if err != nil {
		largest = 1000
	}
	fmt.Print("\n| suite 1, CPU ms | N | ours | mls-go 1.6.0 | times |\n|---|---|---|---|---|\n")
	for _, n := range []int{2, 10, 100, 1000, 10000} {
		if n > largest {
			break
		}
		theirs, ours := newTheirBench(b, n), newOurBench(b, n)
		for _, c := range []struct {
			name         string
			theirs, ours func()
		}{
			{"add all, tree inside", theirs.addAll, ours.addAll},
			{"join", theirs.join, ours.join},
			{"first commit after it", theirs.commit, ours.commit},
			{"add one, tree inside", theirs.addOne, ours.addOne},
			{"remove one", theirs.removeOne, ours.removeOne},
			{"process", theirs.process, ours.process},
			{"encrypt 1 KiB", theirs.encrypt, ours.encrypt},
			{"decrypt 1 KiB", theirs.decrypt, ours.decrypt},
		} {
			us, them := beside(c.ours, c.theirs, ours, theirs)
			fmt.Printf("| %s | %d | %.3f | %.3f | %.1f |\n", c.name, n, us, them, them/us)
		}
	}
}

const (
	besideRounds = 9
	// besideTime is when fewer rounds are enough, but three.
	besideTime = 20 * time.Second
)

// beside returns the medians of both, in ms.
func beside(ours, theirs func(), o *ourBench, t *theirBench) (us, them float64) {
	var mine, others []time.Duration
	for began := cpu(); len(mine) < besideRounds && (len(mine) < 3 || cpu()-began < besideTime); {
		others = append(others, t.often(theirs))
		mine = append(mine, o.often(ours))
	}
	return median(mine), median(others)
}

func median(list []time.Duration) float64 {
	slices.Sort(list)
	return float64(list[len(list)/2].Nanoseconds()) / 1e6
}

// cpu is the CPU time of this process; getrusage counts it in ticks on some
// systems.
func cpu() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// A stopwatch lets an operation prepare itself before it counts, and clear up
// after it.
type stopwatch struct{ begun, ended time.Duration }

func (s *stopwatch) start() { s.begun, s.ended = cpu(), 0 }
func (s *stopwatch) stop()  { s.ended = cpu() }

func (s *stopwatch) cost(op func()) time.Duration {
	s.start()
	op()
	if s.ended == 0 {
		s.stop()
	}
	return s.ended - s.begun
}

// often is the cost of one of as many as take some milliseconds, without the
// collection of what the other side left.
func (s *stopwatch) often(op func()) (one time.Duration) {
	runtime.GC()
	one = s.cost(op)
	n := time.Duration(1)
	for ; one < 5*time.Millisecond && n < 50; n++ {
		one += s.cost(op)
	}
	return one / n
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

// addOne adds somebody, who is removed again; removeOne is the other half.
func (t *theirBench) addOne() {
	t.invite()
	t.stop()
	_, err := t.founder.RemoveMember(t.ctx, t.group, []byte("one more"))
	must(t.b, err)
}

func (t *theirBench) removeOne() {
	t.invite()
	t.start()
	_, err := t.founder.RemoveMember(t.ctx, t.group, []byte("one more"))
	must(t.b, err)
}

func (t *theirBench) invite() {
	k, err := newPeer(t.b, "one more").FreshKeyPackageBytes(t.ctx)
	must(t.b, err)
	t.start()
	_, _, err = t.founder.InviteMember(t.ctx, t.group, k)
	must(t.b, err)
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

func (o *ourBench) addOne() { o.invite() }

func (o *ourBench) removeOne() {
	s := o.invite()
	o.start()
	_, err := s.Next.Commit(mls.CommitParams{Remove: []uint32{s.Changes.Added[0].Index}, Signer: o.founder.key})
	must(o.b, err)
}

// invite is a commit with its Welcome, as InviteMember of mls-go makes.
func (o *ourBench) invite() *mls.StagedCommit {
	more := newOwn(o.b, 1, "one more")
	o.start()
	s, err := o.staged.Next.Commit(mls.CommitParams{Add: []*mls.KeyPackage{more.pack}, Signer: o.founder.key})
	must(o.b, err)
	_, err = s.Welcome(o.founder.key, nil, true)
	must(o.b, err)
	o.stop()
	return s
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
