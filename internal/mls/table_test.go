//go:build unix

package mls

import (
	"flag"
	"fmt"
	"math/bits"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"kith/internal/wire"
)

var table = flag.Bool("table", false, "measure what docs/benchmarks.md shows of MLS, for BenchmarkTable")

// BenchmarkTable prints the costs of a group by its size as a table in Markdown.
// The sizes take turns within each round, so that what else runs on the machine
// and the collector, whose work is that of the largest group in memory, weigh on
// all of them alike: one size after the other, equal work seems to differ by half.
func BenchmarkTable(b *testing.B) {
	if !*table {
		b.Skip("prints its tables with -table: make bench PKG=./internal/mls/")
	}
	for _, s := range benchSuites() {
		sizes := benchSizes()
		var columns []column
		for _, n := range sizes {
			columns = append(columns, newColumn(b, Suite(s), n))
		}
		parts := newFloor(b, Suite(s))
		for range tableRounds {
			for _, c := range parts.all() {
				c.round()
			}
			for row := range columns[0].costs {
				for i := range columns {
					columns[i].costs[row].round()
				}
			}
		}
		printTable(s, sizes, columns, parts)
		fullGroups.Clear()
	}
}

const (
	// tableRounds is how often each cost is taken; the median is shown.
	tableRounds = 9
	// tableTime is when an operation was measured long enough with fewer rounds.
	tableTime = 4 * time.Second
)

// A column is a group of one size.
type column struct {
	costs []*cost
	bytes []amount
}

// A cost is an operation that is done some times in each round.
type cost struct {
	name  string
	times int
	do    func() time.Duration
	spent []time.Duration // of one, by round
	total time.Duration
}

type amount struct {
	name  string
	bytes int
}

func (c *cost) round() {
	if len(c.spent) >= 3 && c.total > tableTime {
		return
	}
	runtime.GC()
	var spent time.Duration
	for range c.times {
		spent += c.do()
	}
	c.total += spent
	c.spent = append(c.spent, spent/time.Duration(c.times))
}

// median in ms.
func (c *cost) median() float64 {
	slices.Sort(c.spent)
	return float64(c.spent[len(c.spent)/2].Nanoseconds()) / 1e6
}

func newColumn(b *testing.B, s Suite, n int) (c column) {
	b.Helper()
	begins(b, s, n, &c)
	lives(b, fullOf(b, s, n), &c)
	messages(b, fullOf(b, s, n), &c)
	holds(b, fullOf(b, s, n), &c)
	return c
}

func (c *column) cost(name string, times int, do func()) {
	c.costs = append(c.costs, &cost{name: name, times: times, do: func() time.Duration {
		start := cpu()
		do()
		return cpu() - start
	}})
}

func (c *column) amount(name string, bytes int) { c.bytes = append(c.bytes, amount{name, bytes}) }

// begins is a group made in one go.
func begins(b *testing.B, s Suite, n int, c *column) {
	b.Helper()
	first, packs := benchPackages(b, s, n)
	var all *StagedCommit
	var w []byte
	add := func() {
		e, err := Create(s, []byte("g"), first.pack, first.secret)
		check(b, err)
		all, err = e.Commit(CommitParams{Add: packs, Signer: first.signer})
		check(b, err)
		w, err = all.Welcome(first.signer, nil, false)
		check(b, err)
	}
	add()
	c.amount("Welcome for all others, tree beside", len(w))
	next := all.Next
	c.cost("create and add all, tree beside", 1, add)
	c.cost("first commit after it", 1, func() {
		_, err := next.Commit(CommitParams{Signer: first.signer})
		check(b, err)
	})
}

// lives is what happens in a full group, and to whom comes into it.
func lives(b *testing.B, g *fullGroup, c *column) {
	b.Helper()
	m := newPartyOf(b, g.pub.Suite(), "new")
	from, to := g.member(0), g.member(1)
	commit := func(p CommitParams) *StagedCommit {
		p.Signer = g.signers[0]
		s, err := from.Commit(p)
		check(b, err)
		return s
	}
	adds := CommitParams{Add: []*KeyPackage{m.pack}}
	followed, raw := commit(adds), commit(CommitParams{}).Commit.Bytes()
	inside, err := commit(adds).Welcome(g.signers[0], nil, true)
	check(b, err)
	beside, err := followed.Welcome(g.signers[0], nil, false)
	check(b, err)
	c.cost("join, tree inside", 1, func() {
		_, _, err := Join(inside, m.pack, m.secret, nil)
		check(b, err)
	})
	c.cost("join, having followed", 1, func() {
		_, _, err := followed.Next.pub.Join(beside, m.pack, m.secret)
		check(b, err)
	})
	c.cost("commit, full tree", 5, func() { commit(CommitParams{}) })
	c.cost("process, full tree", 5, func() {
		s, err := ParseCommit(raw)
		check(b, err)
		_, _, err = to.Process(s)
		check(b, err)
	})
	c.cost("add one", 5, func() { commit(adds) })
	c.cost("remove one", 5, func() { commit(CommitParams{Remove: []uint32{1}}) })
	c.amount("commit", len(raw))
	c.amount("Welcome for one, tree beside", len(beside))
	c.amount("the same, tree inside", len(inside))
	c.amount("tree", len(g.pub.RatchetTree()))
}

// messages of 1 KiB.
func messages(b *testing.B, g *fullGroup, c *column) {
	b.Helper()
	text := make([]byte, 1024)
	from, to := g.member(0), g.member(1)
	send, receive := from.Ratchets(), to.Ratchets()
	encrypt := func() []byte {
		m, err := from.Encrypt(send, g.signers[0], nil, text, 0)
		check(b, err)
		return m
	}
	for _, what := range []string{"stored for the first message", "stored for each after it"} {
		m := encrypt()
		c.amount(what, size(send.Changes()))
		_, _, err := to.Decrypt(receive, m)
		check(b, err)
	}
	c.costs = append(c.costs, &cost{name: "encrypt 1 KiB", times: 100, do: func() time.Duration {
		start := cpu()
		m := encrypt()
		spent := cpu() - start
		_, _, err := to.Decrypt(receive, m) // or it would be too far behind
		check(b, err)
		return spent
	}}, &cost{name: "decrypt 1 KiB", times: 100, do: func() time.Duration {
		m := encrypt()
		start := cpu()
		_, _, err := to.Decrypt(receive, m)
		check(b, err)
		return cpu() - start
	}})
}

// A floor is what operations cannot do without, by its parts alone, measured in
// the same rounds.
type floor struct{ key, seal, open, sign, verify, batch, message *cost }

func (f *floor) all() []*cost {
	return []*cost{f.key, f.seal, f.open, f.sign, f.verify, f.batch, f.message}
}

func newFloor(b *testing.B, s Suite) *floor {
	b.Helper()
	c, err := s.crypto()
	check(b, err)
	signer, secret := newSigner(b, s), wire.Random(c.nh)
	private, public, err := c.keyPair(secret)
	check(b, err)
	context, message := make([]byte, 150), make([]byte, 1200)
	box, err := c.seal(public, "UpdatePathNode", context, secret)
	check(b, err)
	signature := signer.SignRaw(message)
	many := make([]signed, batchSize)
	for i := range many {
		k := newSigner(b, s)
		many[i] = signed{k.PublicKey(), message, k.SignRaw(message)}
	}
	var parts column
	parts.cost("key pair", 50, func() { c.keyPair(secret) })
	parts.cost("seal", 50, func() { c.seal(public, "UpdatePathNode", context, secret) })
	parts.cost("open", 50, func() { c.open(private, "UpdatePathNode", context, box) })
	parts.cost("sign", 50, func() { signer.SignRaw(message) })
	parts.cost("verify", 50, func() { c.verify(signer.PublicKey(), message, signature) })
	parts.cost("verify a batch", 1, func() { c.verifyAll(many) })
	parts.cost("encrypt without signing", 50, func() {
		for range 8 {
			c.derive(secret, "key")
		}
		key, nonce := c.welcomeKey(secret)
		c.aeadSeal(key, nonce, nil, message)
		c.aeadSeal(key, nonce, nil, message[:12])
	})
	p := parts.costs
	return &floor{p[0], p[1], p[2], p[3], p[4], p[5], p[6]}
}

// depth is that of a tree with n leaves.
func depth(n int) float64 { return float64(bits.Len(uint(n - 1))) }

// commit: a key pair for the leaf and each node of the path, a seal for each
// node, the leaf and the commit signed.
func (f *floor) commit(n int) float64 {
	return (depth(n)+1)*f.key.median() + depth(n)*f.seal.median() + 2*f.sign.median()
}

// process: the nearest neighbour opens at the lowest node and derives all above.
func (f *floor) process(n int) float64 {
	return f.open.median() + depth(n)*f.key.median() + 2*f.verify.median()
}

// join: the Welcome opened, the keys of the path, the signatures of all leaves in
// batches, and that of the GroupInfo.
func (f *floor) join(n int) float64 {
	return f.open.median() + depth(n)*f.key.median() + float64(n)*f.batch.median()/batchSize + f.verify.median()
}

func (f *floor) encrypt(int) float64 { return f.message.median() + f.sign.median() }
func (f *floor) decrypt(int) float64 { return f.message.median() + f.verify.median() }

// holds is what a group holds in memory: the public part as a member has it, and
// what the epoch after it adds to that.
func holds(b *testing.B, g *fullGroup, c *column) {
	b.Helper()
	stored := g.pub.Marshal()
	var p *PublicGroup
	c.amount("memory of the public part", grown(func() {
		var err error
		p, err = ParsePublicGroup(stored)
		check(b, err)
	}))
	s, err := g.member(0).Commit(CommitParams{Signer: g.signers[0]})
	check(b, err)
	raw := s.Commit.Bytes()
	e := *g.member(1)
	e.pub = p
	var next *Epoch
	c.amount("memory of one epoch more", grown(func() {
		again, err := ParseCommit(raw)
		check(b, err)
		next, _, err = e.Process(again)
		check(b, err)
	}))
	runtime.KeepAlive(next)
	runtime.KeepAlive(p)
}

// grown is by how many bytes the heap grows.
func grown(do func()) int {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // what pools held goes with the second
	runtime.ReadMemStats(&before)
	do()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int(after.HeapAlloc) - int(before.HeapAlloc)
}

func printTable(suite int, sizes []int, columns []column, parts *floor) {
	out := os.Stdout
	fmt.Fprintf(out, "\n| suite %#x, CPU ms |", suite)
	for _, n := range sizes {
		fmt.Fprintf(out, " %s |", thousands(n))
	}
	fmt.Fprintf(out, "\n|---|%s\n", strings.Repeat("---|", len(sizes)))
	for row, c := range columns[0].costs {
		fmt.Fprintf(out, "| %s |", c.name)
		for i := range columns {
			fmt.Fprintf(out, " %s |", milliseconds(columns[i].costs[row].median()))
		}
		fmt.Fprintln(out)
	}
	for _, of := range []struct {
		name string
		ms   func(n int) float64
	}{
		{"join, tree inside", parts.join},
		{"commit", parts.commit},
		{"process", parts.process},
		{"encrypt", parts.encrypt},
		{"decrypt", parts.decrypt},
	} {
		fmt.Fprintf(out, "| floor: %s |", of.name)
		for _, n := range sizes {
			fmt.Fprintf(out, " %s |", milliseconds(of.ms(n)))
		}
		fmt.Fprintln(out)
	}
	for row, a := range columns[0].bytes {
		fmt.Fprintf(out, "| bytes: %s |", a.name)
		for i := range columns {
			fmt.Fprintf(out, " %s |", thousands(columns[i].bytes[row].bytes))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprint(out, "\nParts of the floor, ms:")
	for _, c := range parts.all() {
		fmt.Fprintf(out, " %s %s;", c.name, milliseconds(c.median()))
	}
	fmt.Fprintln(out)
}

// milliseconds shows three digits, as more of them are noise.
func milliseconds(ms float64) string {
	switch {
	case ms >= 100:
		return fmt.Sprintf("%.0f", ms)
	case ms >= 10:
		return fmt.Sprintf("%.1f", ms)
	case ms >= 1:
		return fmt.Sprintf("%.2f", ms)
	}
	return fmt.Sprintf("%.3f", ms)
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}
